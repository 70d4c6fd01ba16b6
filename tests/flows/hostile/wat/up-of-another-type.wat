(component
    (core module $m (func (export "up")))
    (core instance $i (instantiate $m))
    (func (export "up") (canon lift (core func $i "up"))))
