// Package whimbrel writes database migrations in Go that run as sandboxed WebAssembly components.
//
//	func up(tx *whimbrel.Tx, ctx *whimbrel.Context) error {
//		update, err := tx.Prepare("UPDATE note SET text = ? WHERE id = ?")
//		if err != nil {
//			return err
//		}
//		writer := update.Writer()
//		rows, err := tx.Query("SELECT id, text FROM note ORDER BY id")
//		…
//	}
//
//	func init() { whimbrel.Export(whimbrel.Migration{Up: up}) }
//	func main() {}
package whimbrel

import (
	"fmt"
	"runtime/debug"
)

// Context is what a migration may know about the run it is part of. There is no other clock and no randomness.
type Context struct {
	Chain     string
	Version   string
	Name      string
	Tenant    string
	DryRun    bool
	StartedAt uint64
	Seed      uint64
	params    [][2]string
}

// NewContext makes a context for tests.
func NewContext(params map[string]string) *Context {
	ctx := &Context{}
	for name, value := range params {
		ctx.params = append(ctx.params, [2]string{name, value})
	}
	return ctx
}

// Param returns what the manifest's [params] gives for a name, or the empty string.
func (c *Context) Param(name string) string {
	for _, pair := range c.params {
		if pair[0] == name {
			return pair[1]
		}
	}
	return ""
}

func (c *Context) all(name string) (values []string) {
	for _, pair := range c.params {
		if pair[0] == name {
			values = append(values, pair[1])
		}
	}
	return values
}

// Work is one direction of a migration, or its check.
type Work func(tx *Tx, ctx *Context) error

// Migration is what a component of the worlds `migration` and `reversible` exports.
type Migration struct {
	// Up does the work. An error undoes the step; its text is shown to the operator.
	Up Work
	// Down undoes the work.
	Down Work
}

var (
	exported  Migration
	transform Transform
	verified  Work
)

// Export registers the migration; call it from init.
func Export(migration Migration) { exported = migration }

// ExportTransform registers a transform; call it from init.
func ExportTransform(function Transform) { transform = function }

// ExportVerify registers what looks whether the work of the migration, or of the transform, is as it should be; call it
// from init, and name one of the worlds verified-… to `whimbrel componentize`. The transaction only reads. An error
// undoes the step; its text is shown to the operator.
func ExportVerify(check Work) { verified = check }

// run calls what was registered, and names the function that registers it when nothing was.
func run(work Work, registered string, tx *Tx, ctx *Context) error {
	if work == nil {
		return fmt.Errorf("nothing was registered: call whimbrel.%s in init", registered)
	}
	unsent = 0
	err := protect(func() error { return work(tx, ctx) })
	if err == nil && unsent > 0 {
		err = fmt.Errorf("a writer was left with %d rows that were never sent: call Finish", unsent)
	}
	return err
}

// protect turns a panic into an error, with the guest's functions in the log.
func protect(work func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			Log(Error, fmt.Sprintf("panic: %v\n%s", cause, debug.Stack()))
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return work()
}

// Level says how much a line of the log matters.
type Level uint32

// The levels.
const (
	Trace Level = iota
	Debug
	Info
	Warn
	Error
)
