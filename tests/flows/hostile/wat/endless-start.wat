;; Runs while the component is instantiated, before any call.
(func $forever (loop $again (br $again)))
(start $forever)
(func $attack (param $db i32))
