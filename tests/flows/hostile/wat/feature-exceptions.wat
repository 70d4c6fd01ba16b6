(component (core module (tag $t) (func (throw $t))) (component $c) (export "up" (component $c)))
