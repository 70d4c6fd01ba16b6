package whimbrel

import (
	"errors"
	"testing"
)

func TestRunsWhatWasRegisteredAndTellsWhatIsMissing(t *testing.T) {
	refused := errors.New("2 customers have no name")
	ExportVerify(func(tx *Tx, ctx *Context) error {
		if ctx.Param("least") != "2" {
			t.Error(ctx)
		}
		return refused
	})
	ctx := NewContext(map[string]string{"least": "2"})
	if err := run(verified, "ExportVerify", &Tx{}, ctx); err != refused {
		t.Error(err)
	}
	ExportVerify(func(tx *Tx, ctx *Context) error { panic("a mistake") })
	if err := run(verified, "ExportVerify", &Tx{}, ctx); err == nil || err.Error() != "panic: a mistake" {
		t.Error(err)
	}
	ExportVerify(nil)
	err := run(verified, "ExportVerify", &Tx{}, ctx)
	if err == nil || err.Error() != "nothing was registered: call whimbrel.ExportVerify in init" {
		t.Error(err)
	}
}

func TestRowsThatWereNeverSentFailTheMigration(t *testing.T) {
	leaves := func(tx *Tx, ctx *Context) error {
		writer := (&Stmt{}).Writer()
		for id := int64(0); id < 3; id++ {
			if err := writer.Row(id, "a"); err != nil {
				return err
			}
		}
		return nil
	}
	told := "a writer was left with 3 rows that were never sent: call Finish"
	for range 2 {
		if err := run(leaves, "Export", &Tx{}, NewContext(nil)); err == nil || err.Error() != told {
			t.Error(err)
		}
	}
	sends := func(tx *Tx, ctx *Context) error {
		writer := (&Stmt{}).Writer()
		if err := writer.Row(int64(1)); err != nil {
			return err
		}
		// Natively nobody takes them, which is told; what is not to go wrong here is only that they count as left.
		if _, err := writer.Finish(); err != errNoHost {
			t.Error(err)
		}
		return nil
	}
	if err := run(sends, "Export", &Tx{}, NewContext(nil)); err != nil {
		t.Error(err)
	}
}
