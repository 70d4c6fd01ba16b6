// Trims the notes. build.sh makes a component of this, `whimbrel up` runs it.
package main

import (
	"strings"

	whimbrel "github.com/whimbrel-migrations/whimbrel/guest-sdk/go"
)

func trim(text string) string { return strings.TrimSpace(text) }

func up(tx *whimbrel.Tx, ctx *whimbrel.Context) error {
	update, err := tx.Prepare("UPDATE note SET text = ? WHERE id = ?")
	if err != nil {
		return err
	}
	rows, err := tx.Query("SELECT id, text FROM note WHERE text IS NOT NULL ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	writer := update.Writer()
	for rows.Next() {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		if err := writer.Row(trim(text), id); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_, err = writer.Finish()
	return err
}

// Undo here what up did; spaces that are gone stay gone.
func down(tx *whimbrel.Tx, ctx *whimbrel.Context) error { return nil }

func init() { whimbrel.Export(whimbrel.Migration{Up: up, Down: down}) }

func main() {}
