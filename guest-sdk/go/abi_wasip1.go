package whimbrel

// The canonical ABI by hand: what the contract's functions look like in memory.

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]transaction.execute
func rawExecute(self uint32, sql unsafe.Pointer, length uint32, params unsafe.Pointer, count uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]transaction.query
func rawQuery(self uint32, sql unsafe.Pointer, length uint32, params unsafe.Pointer, count uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]transaction.prepare
func rawPrepare(self uint32, sql unsafe.Pointer, length uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]transaction.open-savepoint
func rawSavepoint(self uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]transaction.dialect
func rawDialect(self uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]cursor.columns
func rawColumns(self uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]cursor.next-batch
func rawNextBatch(self, rows, bytes uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]statement.execute
func rawStatementExecute(self uint32, params unsafe.Pointer, count uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]statement.execute-batch
func rawExecuteBatch(self, rows uint32, columns unsafe.Pointer, count uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]savepoint.release
func rawRelease(self uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [method]savepoint.rollback
func rawRollback(self uint32, into unsafe.Pointer)

//go:wasmimport whimbrel:migration/sql@0.1.0 [resource-drop]transaction
func rawDropTransaction(self uint32)

//go:wasmimport whimbrel:migration/sql@0.1.0 [resource-drop]cursor
func rawDropCursor(self uint32)

//go:wasmimport whimbrel:migration/sql@0.1.0 [resource-drop]statement
func rawDropStatement(self uint32)

//go:wasmimport whimbrel:migration/sql@0.1.0 [resource-drop]savepoint
func rawDropSavepoint(self uint32)

//go:wasmimport whimbrel:migration/log@0.1.0 write
func rawLog(level uint32, text unsafe.Pointer, length uint32)

//go:wasmimport whimbrel:migration/log@0.1.0 progress
func rawProgress(done uint64, known uint32, total uint64)

// memory is what the host was given to write into, until it has been read. Numbers in it that stand for places keep
// nothing alive by themselves.
var memory [][]uint64

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	if size == 0 {
		return unsafe.Pointer(uintptr(align))
	}
	// Eight bytes are the largest alignment there is.
	room := make([]uint64, (size+7)/8)
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&room[0])), size), unsafe.Slice((*byte)(old), oldSize))
	}
	memory = append(memory, room)
	return unsafe.Pointer(&room[0])
}

// area is where the host writes a result: room for the largest, result<u64, sql-error>.
type area [8]uint64

func (a *area) at() unsafe.Pointer         { return unsafe.Pointer(a) }
func (a *area) byte(offset uintptr) byte   { return *(*byte)(unsafe.Add(a.at(), offset)) }
func (a *area) u32(offset uintptr) uint32  { return *(*uint32)(unsafe.Add(a.at(), offset)) }
func (a *area) text(offset uintptr) string { return string(view(a.u32(offset), a.u32(offset+4))) }

func place(number uint32) unsafe.Pointer {
	address := uintptr(number)
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

// view shows bytes that the host wrote; they stay alive as long as the view does.
func view(at, length uint32) []byte {
	if length == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(place(at)), length)
}

func forget() {
	clear(memory)
	memory = memory[:0]
}

func (a *area) failure(offset uintptr) error {
	failed := &SQLError{Code: a.text(offset), Native: a.text(offset + 8), Message: a.text(offset + 16), Row: -1, Offset: -1}
	if a.byte(offset+24) == 1 {
		failed.Row = int64(a.u32(offset + 28))
	}
	if a.byte(offset+32) == 1 {
		failed.Offset = int64(a.u32(offset + 36))
	}
	failed.Details = map[string]string{}
	for _, pair := range pairs(a.u32(offset+40), a.u32(offset+44)) {
		failed.Details[pair[0]] = pair[1]
	}
	forget()
	return failed
}

func pairs(at, count uint32) [][2]string {
	list := make([][2]string, count)
	for index := range list {
		four := unsafe.Slice((*uint32)(unsafe.Add(place(at), index*16)), 4)
		list[index] = [2]string{string(view(four[0], four[1])), string(view(four[2], four[3]))}
	}
	return list
}

// changed reads a result<u64, sql-error>.
func (a *area) changed() (uint64, error) {
	if a.byte(0) == 1 {
		return 0, a.failure(8)
	}
	return a[1], nil
}

// handle reads a result<own<…>, sql-error>.
func (a *area) handle() (uint32, error) {
	if a.byte(0) == 1 {
		return 0, a.failure(4)
	}
	return a.u32(4), nil
}

// values lays out parameters as list<value>: sixteen bytes each. What it returns keeps the texts alive.
func values(params []any) ([]uint64, []any, error) {
	list := make([]uint64, 0, len(params)*2+1)
	kept := make([]any, 0, len(params))
	text := func(tag uint64, bytes []byte) {
		kept = append(kept, bytes)
		list = append(list, tag, uint64(uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))))|uint64(len(bytes))<<32)
	}
	builder := NewBuilder(len(params))
	for index, param := range params {
		if err := builder.Push(index, param); err != nil {
			return nil, nil, err
		}
		switch cell := builder.columns[index].Cell(0).(type) {
		case nil:
			list = append(list, 0, 0)
		case bool:
			word := uint64(0)
			if cell {
				word = 1
			}
			list = append(list, 1, word)
		case int64:
			list = append(list, 2, uint64(cell))
		case float64:
			list = append(list, 3, math.Float64bits(cell))
		case string:
			text(4, []byte(cell))
		case []byte:
			text(5, cell)
		}
	}
	return list, kept, nil
}

func start[T any](list []T) unsafe.Pointer {
	if len(list) == 0 {
		return unsafe.Pointer(uintptr(8))
	}
	return unsafe.Pointer(unsafe.SliceData(list))
}

func words(text string) unsafe.Pointer {
	if text == "" {
		return unsafe.Pointer(uintptr(1))
	}
	return unsafe.Pointer(unsafe.StringData(text))
}

func txExecute(tx uint32, sql string, params []any) (uint64, error) {
	list, kept, err := values(params)
	if err != nil {
		return 0, err
	}
	var into area
	rawExecute(tx, words(sql), uint32(len(sql)), start(list), uint32(len(params)), into.at())
	hold(kept)
	return into.changed()
}

func txQuery(tx uint32, sql string, params []any) (uint32, []string, error) {
	list, kept, err := values(params)
	if err != nil {
		return 0, nil, err
	}
	var into, names area
	rawQuery(tx, words(sql), uint32(len(sql)), start(list), uint32(len(params)), into.at())
	hold(kept)
	cursor, err := into.handle()
	if err != nil {
		return 0, nil, err
	}
	rawColumns(cursor, names.at())
	columns := make([]string, names.u32(4))
	for index := range columns {
		two := unsafe.Slice((*uint32)(unsafe.Add(place(names.u32(0)), index*8)), 2)
		columns[index] = string(view(two[0], two[1]))
	}
	forget()
	return cursor, columns, nil
}

func txPrepare(tx uint32, sql string) (uint32, error) {
	var into area
	rawPrepare(tx, words(sql), uint32(len(sql)), into.at())
	return into.handle()
}

func txSavepoint(tx uint32) (uint32, error) {
	var into area
	rawSavepoint(tx, into.at())
	return into.handle()
}

func endSavepoint(savepoint uint32, keep bool) error {
	var into area
	if keep {
		rawRelease(savepoint, into.at())
	} else {
		rawRollback(savepoint, into.at())
	}
	rawDropSavepoint(savepoint)
	if into.byte(0) == 1 {
		return into.failure(4)
	}
	return nil
}

func txDialect(tx uint32) string {
	var into area
	rawDialect(tx, into.at())
	defer forget()
	return into.text(0)
}

func cursorNext(cursor, rows, bytes uint32) (*Batch, error) {
	var into area
	rawNextBatch(cursor, rows, bytes, into.at())
	if into.byte(0) == 1 {
		return nil, into.failure(4)
	}
	if into.byte(4) == 0 {
		return nil, nil
	}
	batch := lift(into.u32(8), into.u32(12), into.u32(16))
	forget()
	return batch, nil
}

// lift reads a batch: 28 bytes a column.
func lift(rows, at, count uint32) *Batch {
	batch := &Batch{Rows: rows, Columns: make([]Column, count)}
	for index := range batch.Columns {
		seven := unsafe.Slice((*uint32)(unsafe.Add(place(at), index*28)), 7)
		batch.Columns[index] = Column{Kind: Kind(byte(seven[0])), Tags: view(seven[1], seven[2]),
			Words: view(seven[3], seven[4]), Heap: view(seven[5], seven[6])}
	}
	return batch
}

// lower lays out the columns of a batch.
func lower(batch *Batch) []uint32 {
	list := make([]uint32, 0, len(batch.Columns)*7+1)
	at := func(bytes []byte) uint32 {
		if len(bytes) == 0 {
			return 1
		}
		return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes))))
	}
	for index := range batch.Columns {
		c := &batch.Columns[index]
		list = append(list, uint32(c.Kind), at(c.Tags), uint32(len(c.Tags)), at(c.Words), uint32(len(c.Words)),
			at(c.Heap), uint32(len(c.Heap)))
	}
	return list
}

func stmtExecute(statement uint32, params []any) (uint64, error) {
	list, kept, err := values(params)
	if err != nil {
		return 0, err
	}
	var into area
	rawStatementExecute(statement, start(list), uint32(len(params)), into.at())
	hold(kept)
	return into.changed()
}

func stmtBatch(statement uint32, batch *Batch) (uint64, error) {
	list := lower(batch)
	var into area
	rawExecuteBatch(statement, batch.Rows, start(list), uint32(len(batch.Columns)), into.at())
	hold(batch)
	return into.changed()
}

// kept keeps what the host reads alive for the length of a call: the collector does not see places in numbers.
var held any

func hold(what any) { held = what }

const (
	dropCursor = iota
	dropStatement
)

func drop(kind int, handle uint32) {
	if kind == dropCursor {
		rawDropCursor(handle)
	} else {
		rawDropStatement(handle)
	}
}

// Log writes one line into the host's log.
func Log(level Level, message string) { rawLog(uint32(level), words(message), uint32(len(message))) }

// Progress tells how far the work is; a negative total is not known.
func Progress(done uint64, total int64) {
	if total < 0 {
		rawProgress(done, 0, 0)
	} else {
		rawProgress(done, 1, uint64(total))
	}
}

// What goes back to the host lives until the next call.
var (
	returned     area
	returnedText []byte
	returnedCols []uint32
	returnedRows Batch
)

func answer(err error) unsafe.Pointer {
	returned = area{}
	if err != nil {
		returnedText = []byte(err.Error())
		returned[0] = 1 | uint64(uint32(uintptr(start(returnedText))))<<32
		returned[1] = uint64(len(returnedText))
	}
	return returned.at()
}

func call(work Work, registered string, tx uint32, ctx *Context) unsafe.Pointer {
	forget()
	err := run(work, registered, &Tx{tx}, ctx)
	rawDropTransaction(tx)
	return answer(err)
}

func context(chainAt, chain, versionAt, version, nameAt, name, hasTenant, tenantAt, tenant, dryRun uint32,
	startedAt, seed uint64, paramsAt, params uint32) *Context {
	ctx := &Context{Chain: string(view(chainAt, chain)), Version: string(view(versionAt, version)),
		Name: string(view(nameAt, name)), DryRun: dryRun != 0, StartedAt: startedAt, Seed: seed,
		params: pairs(paramsAt, params)}
	if hasTenant != 0 {
		ctx.Tenant = string(view(tenantAt, tenant))
	}
	return ctx
}

//go:wasmexport up
func exportUp(tx, chainAt, chain, versionAt, version, nameAt, name, hasTenant, tenantAt, tenant, dryRun uint32,
	startedAt, seed uint64, paramsAt, params uint32) unsafe.Pointer {
	return call(exported.Up, "Export", tx, context(chainAt, chain, versionAt, version, nameAt, name, hasTenant, tenantAt, tenant,
		dryRun, startedAt, seed, paramsAt, params))
}

//go:wasmexport down
func exportDown(tx, chainAt, chain, versionAt, version, nameAt, name, hasTenant, tenantAt, tenant, dryRun uint32,
	startedAt, seed uint64, paramsAt, params uint32) unsafe.Pointer {
	return call(exported.Down, "Export", tx, context(chainAt, chain, versionAt, version, nameAt, name, hasTenant, tenantAt, tenant,
		dryRun, startedAt, seed, paramsAt, params))
}

//go:wasmexport verify
func exportVerify(tx, chainAt, chain, versionAt, version, nameAt, name, hasTenant, tenantAt, tenant, dryRun uint32,
	startedAt, seed uint64, paramsAt, params uint32) unsafe.Pointer {
	return call(verified, "ExportVerify", tx, context(chainAt, chain, versionAt, version, nameAt, name, hasTenant, tenantAt,
		tenant, dryRun, startedAt, seed, paramsAt, params))
}

//go:wasmexport apply
func exportApply(from unsafe.Pointer) unsafe.Pointer {
	u32 := func(offset uintptr) uint32 { return *(*uint32)(unsafe.Add(from, offset)) }
	u64 := func(offset uintptr) uint64 { return binary.LittleEndian.Uint64(unsafe.Slice((*byte)(unsafe.Add(from, offset)), 8)) }
	input := lift(u32(0), u32(4), u32(8))
	ctx := context(u32(16), u32(20), u32(24), u32(28), u32(32), u32(36), u32(40)&0xff, u32(44), u32(48), u32(52)&0xff,
		u64(56), u64(64), u32(72), u32(76))
	forget()
	var failure *Failure
	err := protect(func() error {
		if transform == nil {
			return fmt.Errorf("the transform was not registered: call whimbrel.ExportTransform in init")
		}
		returnedRows, failure = Apply(transform, input, ctx)
		return nil
	})
	if err != nil {
		failure = &Failure{-1, err.Error()}
	}
	returned = area{}
	into := (*[16]uint32)(returned.at())
	if failure == nil {
		returnedCols = lower(&returnedRows)
		into[1], into[2], into[3] = returnedRows.Rows, uint32(uintptr(start(returnedCols))), uint32(len(returnedRows.Columns))
		return returned.at()
	}
	returnedText = []byte(failure.Message)
	into[0] = 1
	if failure.Row >= 0 {
		into[1], into[2] = 1, uint32(failure.Row)
	}
	into[3], into[4] = uint32(uintptr(start(returnedText))), uint32(len(returnedText))
	return returned.at()
}
