//go:build !wasip1

package whimbrel

import (
	"errors"
	"fmt"
	"os"
)

var errNoHost = errors.New("there is no host outside a component")

const (
	dropCursor = iota
	dropStatement
)

func drop(int, uint32)                                          {}
func txExecute(uint32, string, []any) (uint64, error)           { return 0, errNoHost }
func txQuery(uint32, string, []any) (uint32, []string, error)   { return 0, nil, errNoHost }
func txPrepare(uint32, string) (uint32, error)                  { return 0, errNoHost }
func txSavepoint(uint32) (uint32, error)                        { return 0, errNoHost }
func endSavepoint(uint32, bool) error                           { return errNoHost }
func txDialect(uint32) string                                   { return "" }
func cursorNext(uint32, uint32, uint32) (*Batch, error)         { return nil, errNoHost }
func stmtExecute(uint32, []any) (uint64, error)                 { return 0, errNoHost }
func stmtBatch(uint32, *Batch) (uint64, error)                  { return 0, errNoHost }

// Log writes one line into the host's log.
func Log(level Level, message string) { fmt.Fprintln(os.Stderr, message) }

// Progress tells how far the work is; a negative total is not known.
func Progress(done uint64, total int64) {}
