(component (component $c) (export "up" (component $c)))
