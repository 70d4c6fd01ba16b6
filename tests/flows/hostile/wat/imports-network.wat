(component
    (import "wasi:http/outgoing-handler@0.2.0" (instance))
    (import "wasi:sockets/network@0.2.0" (instance))
    (component $c) (export "up" (component $c)))
