(component
    (import "whimbrel:migration/log@0.1.0" (instance (export "delete-all-logs" (func))))
    (core module $m (func (export "up")))
    (core instance $i (instantiate $m))
    (func (export "up") (canon lift (core func $i "up"))))
