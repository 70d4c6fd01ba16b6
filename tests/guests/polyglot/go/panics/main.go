package main

import whimbrel "github.com/whimbrel-migrations/whimbrel/guest-sdk/go"

func explode(list []int) int { return list[7] }

func up(tx *whimbrel.Tx, ctx *whimbrel.Context) error {
	if _, err := tx.Exec("UPDATE person SET first_name = 'gone'"); err != nil {
		return err
	}
	explode(nil)
	return nil
}

func init() { whimbrel.Export(whimbrel.Migration{Up: up}) }

func main() {}
