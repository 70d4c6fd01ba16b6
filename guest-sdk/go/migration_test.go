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
