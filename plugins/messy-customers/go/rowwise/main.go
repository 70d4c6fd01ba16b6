// Row by row: reads all customers, writes what the rules make of them.
package main

import (
	"fmt"

	"messy-customers/checks"
	"messy-customers/rules"

	whimbrel "github.com/whimbrel-migrations/whimbrel/guest-sdk/go"
)

func up(tx *whimbrel.Tx, ctx *whimbrel.Context) error {
	update, err := tx.Prepare(
		"UPDATE customer SET first_name = ?, last_name = ?, email_key = ?, phone_key = ?, cents = ? WHERE id = ?")
	if err != nil {
		return err
	}
	rows, err := tx.Query("SELECT id, full_name, email, phone, balance FROM customer ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	writer := update.Writer()
	for rows.Next() {
		var id int64
		var name, email, phone, balance *string
		if err := rows.Scan(&id, &name, &email, &phone, &balance); err != nil {
			return err
		}
		first, last := rules.Name(name)
		key := rules.Email(email)
		if ctx.Param("strict") == "yes" && email != nil && key == nil {
			return fmt.Errorf("customer %d: not an e-mail address: %s", id, *email)
		}
		if err := writer.Row(first, last, key, rules.Phone(phone), rules.Cents(balance), id); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	changed, err := writer.Finish()
	if err == nil {
		whimbrel.Log(whimbrel.Info, fmt.Sprintf("mended %d customers", changed))
	}
	return err
}

func down(tx *whimbrel.Tx, ctx *whimbrel.Context) error {
	_, err := tx.Exec(
		"UPDATE customer SET first_name = NULL, last_name = NULL, email_key = NULL, phone_key = NULL, cents = NULL")
	return err
}

func init() {
	whimbrel.Export(whimbrel.Migration{Up: up, Down: down})
	whimbrel.ExportVerify(checks.Verify)
}

func main() {}
