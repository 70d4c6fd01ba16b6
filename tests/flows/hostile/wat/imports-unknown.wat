(component (import "host:system/exec" (instance)) (component $c) (export "up" (component $c)))
