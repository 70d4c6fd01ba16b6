;; Rows in packed form whose numbers do not fit each other: none of them may be read, let alone written.
(data (i32.const 1024) "INSERT INTO acme_points VALUES (?, 1)")
;; One column: kind, then tags, words and heap with address and length each.
(data (i32.const 2048) "\03\00\00\00" "\00\00\00\00\00\00\00\00" "\00\10\00\00\08\00\00\00" "\00\00\00\00\00\00\00\00")
;; Its only cell: a text of 255 bytes at 4294967040 of a heap that is empty.
(data (i32.const 4096) "\00\ff\ff\ff\ff\00\00\00")
(func $attack (param $db i32) (local $statement i32)
    (call $prepare (local.get $db) (i32.const 1024) (i32.const 37) (i32.const 64))
    (local.set $statement (i32.load (i32.const 68)))
    (call $run_batch (local.get $statement) (i32.const 1) (i32.const 2048) (i32.const 1) (i32.const 64))
    (call $failed)
    ;; More rows than there are words.
    (call $run_batch (local.get $statement) (i32.const 4000000000) (i32.const 2048) (i32.const 1) (i32.const 64))
    (call $failed)
    ;; A kind that there is not.
    (i32.store8 (i32.const 2048) (i32.const 200))
    (call $run_batch (local.get $statement) (i32.const 1) (i32.const 2048) (i32.const 1) (i32.const 64))
    (call $failed)
    ;; Rows without any column.
    (call $run_batch (local.get $statement) (i32.const 4000000000) (i32.const 2048) (i32.const 0) (i32.const 64))
    (call $failed)
    (unreachable))
