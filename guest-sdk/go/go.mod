module github.com/whimbrel-migrations/whimbrel/guest-sdk/go

go 1.25
