// Package checks tells whether the work is as it should be; asked after it, and by `whimbrel verify --deep`.
package checks

import (
	"fmt"

	whimbrel "github.com/whimbrel-migrations/whimbrel/guest-sdk/go"
)

const unnamed = `SELECT count(*) FROM customer WHERE first_name IS NULL AND last_name IS NULL
	AND trim(full_name, ' ,' || char(9, 10, 13, 160)) <> ''`

// Verify looks for customers whose name was lost.
func Verify(tx *whimbrel.Tx, ctx *whimbrel.Context) error {
	var count int64
	if err := tx.QueryRow(unnamed, nil, &count); err != nil {
		return err
	}
	if count > 0 {
		return fmt.Errorf("%d customers lost their name", count)
	}
	return nil
}
