(component (core module (type (struct (field i32)))) (component $c) (export "up" (component $c)))
