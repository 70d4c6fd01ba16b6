SELECT length(printf('%1000000000d', 1))
