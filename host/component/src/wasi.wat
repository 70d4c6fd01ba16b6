;; Stands in for `wasi_snapshot_preview1` inside a component, for languages whose runtime insists on it. It gives
;; nothing away: no files, no arguments, no environment; a clock that starts at 0 and moves a millisecond a look; random
;; numbers that are the same in every run. What is written to standard output and standard error goes into the log.
;; Functions that only refuse are added by `adapter.rs`.
(module
  (import "env" "memory" (memory 0))
  (import "whimbrel:migration/log@0.1.0" "write" (func $log (param i32 i32 i32)))

  (global $clock (mut i64) (i64.const 0))
  (global $random (mut i64) (i64.const 0x2545f4914f6cdd1d))

  ;; Moves the clock and returns it, in nanoseconds.
  (func $look (result i64)
    (global.set $clock (i64.add (global.get $clock) (i64.const 1000000)))
    (global.get $clock))

  ;; Neither arguments nor variables.
  (func $none (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))
  (export "args_sizes_get" (func $none))
  (export "environ_sizes_get" (func $none))
  (func $nothing (param i32 i32) (result i32) (i32.const 0))
  (export "args_get" (func $nothing))
  (export "environ_get" (func $nothing))

  (func (export "clock_res_get") (param $id i32) (param $into i32) (result i32)
    (i64.store (local.get $into) (i64.const 1000000))
    (i32.const 0))
  (func (export "clock_time_get") (param $id i32) (param $precision i64) (param $into i32) (result i32)
    (i64.store (local.get $into) (call $look))
    (i32.const 0))

  ;; Waiting takes no time: every event comes at once, and the clock moves as far as was asked.
  (func (export "poll_oneoff") (param $in i32) (param $out i32) (param $count i32) (param $events i32) (result i32)
    (i32.store (local.get $events) (local.get $count))
    (block $done
      (loop $each
        (br_if $done (i32.eqz (local.get $count)))
        (i64.store (local.get $out) (i64.load (local.get $in)))
        (i64.store offset=8 (local.get $out) (i64.const 0))
        (i64.store offset=16 (local.get $out) (i64.const 0))
        (i64.store offset=24 (local.get $out) (i64.const 0))
        (i32.store8 offset=10 (local.get $out) (i32.load8_u offset=8 (local.get $in)))
        (if (i32.eqz (i32.load8_u offset=8 (local.get $in)))
          (then
            (if (i32.and (i32.load16_u offset=40 (local.get $in)) (i32.const 1))
              (then
                (if (i64.gt_u (i64.load offset=24 (local.get $in)) (global.get $clock))
                  (then (global.set $clock (i64.load offset=24 (local.get $in))))))
              (else
                (global.set $clock (i64.add (global.get $clock) (i64.load offset=24 (local.get $in))))))))
        (local.set $in (i32.add (local.get $in) (i32.const 48)))
        (local.set $out (i32.add (local.get $out) (i32.const 32)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $each)))
    (i32.const 0))
  (func (export "sched_yield") (result i32) (i32.const 0))

  (func (export "random_get") (param $into i32) (param $length i32) (result i32)
    (block $done
      (loop $each
        (br_if $done (i32.eqz (local.get $length)))
        (global.set $random (i64.xor (global.get $random) (i64.shl (global.get $random) (i64.const 13))))
        (global.set $random (i64.xor (global.get $random) (i64.shr_u (global.get $random) (i64.const 7))))
        (global.set $random (i64.xor (global.get $random) (i64.shl (global.get $random) (i64.const 17))))
        (i32.store8 (local.get $into) (i32.wrap_i64 (i64.shr_u (global.get $random) (i64.const 32))))
        (local.set $into (i32.add (local.get $into) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $each)))
    (i32.const 0))

  ;; Only standard input, output and error are open, as a terminal.
  (func (export "fd_fdstat_get") (param $file i32) (param $into i32) (result i32)
    (if (i32.gt_u (local.get $file) (i32.const 2)) (then (return (i32.const 8))))
    (i64.store (local.get $into) (i64.const 2))
    (i64.store offset=8 (local.get $into) (i64.const -1))
    (i64.store offset=16 (local.get $into) (i64.const 0))
    (i32.const 0))
  (func (export "fd_fdstat_set_flags") (param $file i32) (param $flags i32) (result i32)
    (select (i32.const 8) (i32.const 0) (i32.gt_u (local.get $file) (i32.const 2))))
  (func (export "fd_close") (param $file i32) (result i32)
    (select (i32.const 8) (i32.const 0) (i32.gt_u (local.get $file) (i32.const 2))))
  (func (export "fd_read") (param $file i32) (param $pieces i32) (param $count i32) (param $read i32) (result i32)
    (if (local.get $file) (then (return (i32.const 8))))
    (i32.store (local.get $read) (i32.const 0))
    (i32.const 0))

  (func (export "fd_write") (param $file i32) (param $pieces i32) (param $count i32) (param $written i32) (result i32)
    (local $at i32) (local $length i32) (local $total i32)
    (if (i32.gt_u (i32.sub (local.get $file) (i32.const 1)) (i32.const 1)) (then (return (i32.const 8))))
    (block $done
      (loop $each
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $at (i32.load (local.get $pieces)))
        (local.set $length (i32.load offset=4 (local.get $pieces)))
        (local.set $total (i32.add (local.get $total) (local.get $length)))
        ;; The log takes whole lines, and texts only.
        ;; A piece of no bytes may be anywhere, also where no memory is.
        (if (local.get $length)
          (then
            (if (i32.eq (i32.load8_u (i32.sub (i32.add (local.get $at) (local.get $length)) (i32.const 1)))
                  (i32.const 10))
              (then (local.set $length (i32.sub (local.get $length) (i32.const 1)))))))
        (if (i32.ne (local.get $length) (i32.const 0))
          (then
            (if (call $is_text (local.get $at) (local.get $length))
              (then
                (call $log (select (i32.const 4) (i32.const 2) (i32.eq (local.get $file) (i32.const 2)))
                  (local.get $at) (local.get $length))))))
        (local.set $pieces (i32.add (local.get $pieces) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $each)))
    (i32.store (local.get $written) (local.get $total))
    (i32.const 0))

  ;; Tells whether bytes are UTF-8: the host would trap over a string that is not.
  (func $is_text (param $at i32) (param $length i32) (result i32)
    (local $end i32) (local $first i32) (local $second i32) (local $more i32)
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (loop $next
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 1))))
      (local.set $first (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $first) (i32.const 0x80)))
      (if (i32.or (i32.lt_u (local.get $first) (i32.const 0xc2)) (i32.gt_u (local.get $first) (i32.const 0xf4)))
        (then (return (i32.const 0))))
      (local.set $more
        (i32.add (i32.ge_u (local.get $first) (i32.const 0xe0)) (i32.ge_u (local.get $first) (i32.const 0xf0))))
      (if (i32.ge_u (i32.add (local.get $at) (local.get $more)) (local.get $end)) (then (return (i32.const 0))))
      (local.set $second (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (if (i32.ne (i32.and (local.get $second) (i32.const 0xc0)) (i32.const 0x80)) (then (return (i32.const 0))))
      (if (i32.and (i32.eq (local.get $first) (i32.const 0xe0)) (i32.lt_u (local.get $second) (i32.const 0xa0)))
        (then (return (i32.const 0))))
      (if (i32.and (i32.eq (local.get $first) (i32.const 0xed)) (i32.gt_u (local.get $second) (i32.const 0x9f)))
        (then (return (i32.const 0))))
      (if (i32.and (i32.eq (local.get $first) (i32.const 0xf0)) (i32.lt_u (local.get $second) (i32.const 0x90)))
        (then (return (i32.const 0))))
      (if (i32.and (i32.eq (local.get $first) (i32.const 0xf4)) (i32.gt_u (local.get $second) (i32.const 0x8f)))
        (then (return (i32.const 0))))
      (block $whole
        (loop $rest
          (br_if $whole (i32.eqz (local.get $more)))
          (if (i32.ne (i32.and (i32.load8_u (local.get $at)) (i32.const 0xc0)) (i32.const 0x80))
            (then (return (i32.const 0))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $more (i32.sub (local.get $more) (i32.const 1)))
          (br $rest)))
      (br $next))
    (unreachable))

  (func (export "proc_exit") (param i32) (unreachable))
)
