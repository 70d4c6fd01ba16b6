(component
    (import "whimbrel:migration/log@0.1.0" (instance (export "write" (func (param "level" u8) (param "message" u64)))))
    (core module $m (func (export "up")))
    (core instance $i (instantiate $m))
    (func (export "up") (canon lift (core func $i "up"))))
