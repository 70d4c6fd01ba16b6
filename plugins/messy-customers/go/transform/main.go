// The same as a transform: the host reads and writes.
package main

import (
	"fmt"

	"messy-customers/checks"
	"messy-customers/rules"

	whimbrel "github.com/whimbrel-migrations/whimbrel/guest-sdk/go"
)

func mend(row whimbrel.Row, out *whimbrel.Out, ctx *whimbrel.Context) error {
	var id int64
	var name, email, phone, balance *string
	if err := row.Scan(&id, &name, &email, &phone, &balance); err != nil {
		return err
	}
	key := rules.Email(email)
	if ctx.Param("strict") == "yes" && email != nil && key == nil {
		return fmt.Errorf("customer %d: not an e-mail address: %s", id, *email)
	}
	first, last := rules.Name(name)
	return out.Row(first, last, key, rules.Phone(phone), rules.Cents(balance))
}

func init() {
	whimbrel.ExportTransform(mend)
	whimbrel.ExportVerify(checks.Verify)
}

func main() {}
