module names

go 1.25

require github.com/whimbrel-migrations/whimbrel/guest-sdk/go v0.0.0

replace github.com/whimbrel-migrations/whimbrel/guest-sdk/go => ../../../../guest-sdk/go
