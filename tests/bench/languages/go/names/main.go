package main

import (
	"fmt"
	"strings"

	whimbrel "github.com/whimbrel-migrations/whimbrel/guest-sdk/go"
)

func each(tx *whimbrel.Tx, write func(params ...any) error) error {
	rows, err := tx.Query("SELECT id, full_name FROM person ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row := rows.Row()
		id, err := row.Int64("id")
		if err != nil {
			return err
		}
		full, err := row.Text("full_name")
		if err != nil {
			return err
		}
		cut := strings.LastIndexByte(full, ' ')
		first, last := full[:max(cut, 0)], full[cut+1:]
		if err := write(first, last, last+" "+first, id); err != nil {
			return err
		}
	}
	return rows.Err()
}

func up(tx *whimbrel.Tx, ctx *whimbrel.Context) error {
	if ctx.Param("form") == "trivial" {
		_, err := tx.Exec("CREATE TABLE trivial (id INTEGER PRIMARY KEY)")
		return err
	}
	statement, err := tx.Prepare("INSERT INTO person_name (first_name, last_name, name_key, id) VALUES (?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer statement.Close()
	switch form := ctx.Param("form"); form {
	case "packed":
		writer := statement.Writer()
		if err := each(tx, writer.Row); err != nil {
			return err
		}
		_, err := writer.Finish()
		return err
	case "row-wise":
		return each(tx, func(params ...any) error {
			_, err := statement.Exec(params...)
			return err
		})
	default:
		return fmt.Errorf("unknown form %s", form)
	}
}

func init() { whimbrel.Export(whimbrel.Migration{Up: up}) }

func main() {}
