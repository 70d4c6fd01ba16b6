package main

import (
	"errors"
	"fmt"

	whimbrel "github.com/whimbrel-migrations/whimbrel/guest-sdk/go"
)

// told says what kind of failure an error is; no failure is one.
func told(err error) error {
	var sql *whimbrel.SQLError
	if !errors.As(err, &sql) {
		return fmt.Errorf("no error of SQL: %w", err)
	}
	line := ""
	for _, kind := range []error{whimbrel.ErrDenied, whimbrel.ErrLimit, whimbrel.ErrConstraint, whimbrel.ErrDatabase} {
		if errors.Is(err, kind) {
			line += kind.Error() + " "
		}
	}
	line += sql.Code
	if sql.Row >= 0 {
		line += fmt.Sprintf(" in row %d", sql.Row)
	}
	whimbrel.Log(whimbrel.Info, line)
	return nil
}

func fails(tx *whimbrel.Tx, sql string, params ...any) error {
	_, err := tx.Exec(sql, params...)
	return told(err)
}

var errUndo = errors.New("undo it")

func savepoints(tx *whimbrel.Tx) error {
	const change = "UPDATE person SET last_name = ?"
	err := tx.Savepoint(func() error {
		if _, err := tx.Exec(change, "outer"); err != nil {
			return err
		}
		err := tx.Savepoint(func() error {
			if _, err := tx.Exec(change, "inner"); err != nil {
				return err
			}
			return errUndo
		})
		if err != errUndo {
			return fmt.Errorf("the savepoint returned %v", err)
		}
		return nil
	})
	if err == nil {
		_, err = tx.Exec("UPDATE person SET first_name = last_name")
	}
	return err
}

func twice(tx *whimbrel.Tx) error {
	update, err := tx.Prepare("UPDATE person SET code = ? WHERE id = ?")
	if err != nil {
		return err
	}
	defer update.Close()
	writer := update.Writer()
	for at, code := range []string{"a", "b", "a"} {
		if err := writer.Row(code, at+1); err != nil {
			return err
		}
	}
	_, err = writer.Finish()
	return err
}

// leave leaves rows in a writer.
func leave(tx *whimbrel.Tx) error {
	update, err := tx.Prepare("UPDATE person SET code = ? WHERE id = ?")
	if err != nil {
		return err
	}
	writer := update.Writer()
	for id := range 3 {
		if err := writer.Row("left", id+1); err != nil {
			return err
		}
	}
	return nil
}

func up(tx *whimbrel.Tx, ctx *whimbrel.Context) error {
	if ctx.Param("do") == "leave" {
		return leave(tx)
	}
	if ctx.Param("do") == "limit" {
		return fails(tx, "SELECT ?, ?, ?", 1, 2, 3)
	}
	whimbrel.Progress(1, 2)
	if err := savepoints(tx); err != nil {
		return err
	}
	for _, sql := range []string{"COMMIT", "INSERT INTO person (full_name) VALUES (NULL)", "SELEKT 1"} {
		if err := fails(tx, sql); err != nil {
			return err
		}
	}
	if err := told(twice(tx)); err != nil {
		return err
	}
	whimbrel.Progress(2, -1)
	return nil
}

func init() { whimbrel.Export(whimbrel.Migration{Up: up}) }

func main() {}
