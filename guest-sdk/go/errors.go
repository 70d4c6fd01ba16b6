package whimbrel

import (
	"errors"
	"fmt"
	"strings"
)

// What kind of failure a SQLError is, for errors.Is.
var (
	// ErrDenied tells that something was asked for that was not granted.
	ErrDenied = errors.New("denied")
	// ErrLimit tells that a limit of the host was reached.
	ErrLimit = errors.New("limit")
	// ErrConstraint tells that a constraint of the database failed.
	ErrConstraint = errors.New("constraint")
	// ErrDatabase tells that the database failed in another way.
	ErrDatabase = errors.New("database")
)

// SQLError says why a statement failed.
type SQLError struct {
	// Code tells what kind of failure it is: denied, limit, constraint-unique, busy, … The set is open.
	Code string
	// Native is the database's own code; empty when the host itself refused.
	Native string
	// Message is one sentence for a person.
	Message string
	// Row is the row of the batch that failed, counted from 0, or -1.
	Row int64
	// Offset is the byte in the statement where the error is, or -1.
	Offset int64
	// Details has more, by name.
	Details map[string]string
}

func (e *SQLError) Error() string {
	text := e.Message
	if e.Native != "" {
		text += " (" + e.Native + ")"
	}
	if e.Row >= 0 {
		text += fmt.Sprintf(", row %d of the batch", e.Row)
	}
	return text
}

// Is makes errors.Is tell kinds of failures apart.
func (e *SQLError) Is(target error) bool {
	switch target {
	case ErrDenied:
		return e.Code == "denied"
	case ErrLimit:
		return e.Code == "limit"
	case ErrConstraint:
		return strings.HasPrefix(e.Code, "constraint")
	case ErrDatabase:
		return e.Code != "denied" && e.Code != "limit" && !strings.HasPrefix(e.Code, "constraint")
	}
	return false
}
