package whimbrel

import "fmt"

const (
	batchRows  = 1024
	batchBytes = 1 << 20
)

// Tx is the step's open transaction. It is kept when the migration returns nil, and undone when it returns an error.
type Tx struct{ handle uint32 }

// Exec runs one statement and returns the number of rows it changed.
func (t *Tx) Exec(sql string, params ...any) (uint64, error) { return txExecute(t.handle, sql, params) }

// Query runs one query. Rows are fetched about a thousand at a time.
func (t *Tx) Query(sql string, params ...any) (*Rows, error) {
	cursor, names, err := txQuery(t.handle, sql, params)
	if err != nil {
		return nil, err
	}
	return &Rows{cursor: cursor, columns: newColumns(names)}, nil
}

// QueryRow runs one query and scans its first row; no row is an error.
func (t *Tx) QueryRow(sql string, params []any, targets ...any) error {
	rows, err := t.Query(sql, params...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if rows.Err() != nil {
			return rows.Err()
		}
		return fmt.Errorf("the query gave no row")
	}
	return rows.Scan(targets...)
}

// Prepare prepares one statement to be run many times.
func (t *Tx) Prepare(sql string) (*Stmt, error) {
	handle, err := txPrepare(t.handle, sql)
	return &Stmt{handle}, err
}

// Savepoint runs work inside a savepoint: what it did is kept if it returns nil, undone if it returns an error, which
// is returned.
func (t *Tx) Savepoint(work func() error) error {
	handle, err := txSavepoint(t.handle)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			_ = endSavepoint(handle, false)
		}
	}()
	err = work()
	done = true
	if err != nil {
		if undone := endSavepoint(handle, false); undone != nil {
			return fmt.Errorf("%w; and the savepoint could not be undone: %v", err, undone)
		}
		return err
	}
	return endSavepoint(handle, true)
}

// Dialect returns the kind of database: sqlite, later others.
func (t *Tx) Dialect() string { return txDialect(t.handle) }

// Rows are the rows of a query, read forward.
type Rows struct {
	cursor  uint32
	columns *columns
	batch   *Batch
	next    int
	err     error
	closed  bool
}

// Next moves to the next row; false at the end or after an error, which Err returns.
func (r *Rows) Next() bool {
	for r.err == nil && !r.closed {
		if r.batch != nil && r.next < int(r.batch.Rows) {
			r.next++
			return true
		}
		r.batch, r.err = cursorNext(r.cursor, batchRows, batchBytes)
		r.next = 0
		if r.batch == nil {
			r.Close()
			return false
		}
		if r.err == nil {
			r.err = r.batch.Check()
		}
	}
	return false
}

// Row returns the row that Next moved to.
func (r *Rows) Row() Row { return Row{r.columns, r.batch, r.next - 1} }

// Scan copies the row's cells into pointers; see Row.Scan.
func (r *Rows) Scan(targets ...any) error { return r.Row().Scan(targets...) }

// Columns returns the names of the columns.
func (r *Rows) Columns() []string { return r.columns.names }

// Err returns what ended the rows early, if anything did.
func (r *Rows) Err() error { return r.err }

// Close ends the rows; it may be called twice.
func (r *Rows) Close() {
	if !r.closed {
		r.closed = true
		drop(dropCursor, r.cursor)
	}
}

// Stmt is a prepared statement.
type Stmt struct{ handle uint32 }

// Exec runs it once. For many rows, Writer is faster.
func (s *Stmt) Exec(params ...any) (uint64, error) { return stmtExecute(s.handle, params) }

// ExecBatch runs it once for every row of the batch: for all, or for none.
func (s *Stmt) ExecBatch(batch *Batch) (uint64, error) { return stmtBatch(s.handle, batch) }

// Writer collects rows of parameters and sends them about a thousand at a time.
func (s *Stmt) Writer() *Writer { return &Writer{stmt: s} }

// Close frees the statement.
func (s *Stmt) Close() { drop(dropStatement, s.handle) }

// unsent counts the rows that writers of this call have collected and not sent.
var unsent int

// Writer collects rows for a statement; end it with Finish. Rows that were never sent make the migration fail, so that none
// is lost unseen.
type Writer struct {
	stmt    *Stmt
	builder *Builder
	changed uint64
	sent    int64
}

// Row adds the parameters of one run.
func (w *Writer) Row(params ...any) error {
	if len(params) == 0 {
		changed, err := w.stmt.Exec()
		w.changed += changed
		return err
	}
	if w.builder == nil {
		w.builder = NewBuilder(len(params))
	}
	if len(params) != len(w.builder.columns) {
		return fmt.Errorf("the first row had %d parameters, this one has %d", len(w.builder.columns), len(params))
	}
	for column, value := range params {
		if err := w.builder.Push(column, value); err != nil {
			return err
		}
	}
	unsent++
	if rows := w.builder.Rows(); rows >= batchRows || rows*8*len(params)+w.builder.bytes >= batchBytes {
		return w.flush()
	}
	return nil
}

func (w *Writer) flush() error {
	if w.builder == nil || w.builder.Rows() == 0 {
		return nil
	}
	batch, err := w.builder.Finish()
	if err != nil {
		return err
	}
	unsent -= int(batch.Rows)
	changed, err := w.stmt.ExecBatch(&batch)
	if failed, ok := err.(*SQLError); ok && failed.Row >= 0 {
		failed.Row += w.sent
	}
	w.sent += int64(batch.Rows)
	w.changed += changed
	return err
}

// Finish sends the rest and returns the number of rows changed in all.
func (w *Writer) Finish() (uint64, error) {
	err := w.flush()
	return w.changed, err
}
