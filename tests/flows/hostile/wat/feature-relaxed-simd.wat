(component
    (core module (func (param v128 v128) (result v128)
        (i32x4.relaxed_trunc_f32x4_s (local.get 0))))
    (component $c) (export "up" (component $c)))
