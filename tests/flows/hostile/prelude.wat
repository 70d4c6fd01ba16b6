;; What every guest written as text has: the contract's functions, memory, and a call of $attack after it has changed
;; something, so that a test sees whether that was undone. A guest that exports a function itself is not given it.
(import "whimbrel:migration/sql@0.1.0" "[method]transaction.execute" (func $execute (param i32 i32 i32 i32 i32 i32)))
(import "whimbrel:migration/sql@0.1.0" "[method]transaction.query" (func $query (param i32 i32 i32 i32 i32 i32)))
(import "whimbrel:migration/sql@0.1.0" "[method]transaction.prepare" (func $prepare (param i32 i32 i32 i32)))
(import "whimbrel:migration/sql@0.1.0" "[method]transaction.open-savepoint" (func $open_savepoint (param i32 i32)))
(import "whimbrel:migration/sql@0.1.0" "[method]cursor.next" (func $next (param i32 i32 i32)))
(import "whimbrel:migration/sql@0.1.0" "[method]statement.execute" (func $run (param i32 i32 i32 i32)))
(import "whimbrel:migration/sql@0.1.0" "[method]statement.execute-batch" (func $run_batch (param i32 i32 i32 i32 i32)))
(import "whimbrel:migration/sql@0.1.0" "[method]savepoint.release" (func $release (param i32 i32)))
(import "whimbrel:migration/sql@0.1.0" "[method]savepoint.rollback" (func $undo (param i32 i32)))
(import "whimbrel:migration/sql@0.1.0" "[resource-drop]transaction" (func $drop_transaction (param i32)))
(import "whimbrel:migration/sql@0.1.0" "[resource-drop]cursor" (func $drop_cursor (param i32)))
(import "whimbrel:migration/sql@0.1.0" "[resource-drop]statement" (func $drop_statement (param i32)))
(import "whimbrel:migration/sql@0.1.0" "[resource-drop]savepoint" (func $drop_savepoint (param i32)))
(import "whimbrel:migration/log@0.1.0" "write" (func $log (param i32 i32 i32)))
(import "whimbrel:migration/log@0.1.0" "progress" (func $progress (param i64 i32 i64)))
(memory (export "memory") 4)
(data (i32.const 768) "UPDATE customer SET age = 99")
;; Runs one statement without parameters and looks away.
(func $sql (param $db i32) (param $text i32) (param $length i32)
    (call $execute (local.get $db) (local.get $text) (local.get $length) (i32.const 0) (i32.const 0) (i32.const 64)))
;; Expects that the last answer, at 64, is an error.
(func $failed
    (if (i32.eqz (i32.load8_u (i32.const 64))) (then (drop (i32.div_u (i32.const 1) (i32.const 0))))))
(func $touch (param $db i32) (call $sql (local.get $db) (i32.const 768) (i32.const 28)))
