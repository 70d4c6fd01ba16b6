;; Opens a query that has many rows, reads one, and forgets it, again and again.
(data (i32.const 1024) "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")
(func $attack (param $db i32)
    (loop $again
        (call $query (local.get $db) (i32.const 1024) (i32.const 79) (i32.const 0) (i32.const 0) (i32.const 64))
        (if (i32.load8_u (i32.const 64)) (then (return)))
        (call $next (i32.load (i32.const 68)) (i32.const 1) (i32.const 128))
        (br $again)))
