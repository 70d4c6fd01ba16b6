(table $wide 0 funcref)
(func $attack (param $db i32)
    (loop $again
        (br_if $again (i32.ne (table.grow $wide (ref.null func) (i32.const 100000)) (i32.const -1)))))
