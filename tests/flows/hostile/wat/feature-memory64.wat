(component (core module (memory i64 1)) (component $c) (export "up" (component $c)))
