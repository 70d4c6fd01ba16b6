(component (import "whimbrel:migration/sql@0.2.0" (instance)) (component $c) (export "up" (component $c)))
