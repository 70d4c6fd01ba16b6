(func $attack (param $db i32) (loop $again (br $again)))
