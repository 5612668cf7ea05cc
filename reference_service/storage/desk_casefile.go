package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"example.org/siem/core"
)

// AddNote stores a note under a new id.
func (s *CaseStore) AddNote(ctx context.Context, n *core.Note) error {
	n.ID, n.At = core.NewID("note"), instant(millis(s.db.now()))
	noteCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(noteCtx, `INSERT INTO case_notes VALUES (?, ?, ?, ?, ?)`, n.ID, n.CaseID, n.Author, n.Text, millis(n.At))
	if err != nil {
		return translate(err, "case")
	}
	return nil
}

// Notes returns a case's notes in order.
func (s *CaseStore) Notes(ctx context.Context, caseID string) ([]*core.Note, error) {
	rows, err := s.db.read.Query(`SELECT id, case_id, author, text, at FROM case_notes WHERE case_id = ? ORDER BY at, rowid`, caseID)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Note, error) {
		var n core.Note
		var at int64
		err := scan(&n.ID, &n.CaseID, &n.Author, &n.Text, &at)
		n.At = instant(at)
		return &n, err
	})
}

const taskColumns = `SELECT id, case_id, title, assignee, due_at, done_at FROM case_tasks `

// AddTask stores a task under a new id.
func (s *CaseStore) AddTask(t *core.Task) error {
	t.ID = core.NewID("task")
	_, err := s.db.write.ExecContext(context.Background(), `INSERT INTO case_tasks (id, case_id, title, assignee, due_at) VALUES (?, ?, ?, ?, ?)`,
		t.ID, t.CaseID, t.Title, t.Assignee, millis(t.DueAt))
	if err != nil {
		return translate(err, "case")
	}
	return nil
}

// FinishTask marks a task as done.
func (s *CaseStore) FinishTask(_ context.Context, caseID, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	res, err := s.db.write.ExecContext(ctx, `UPDATE case_tasks SET done_at = ? WHERE case_id = ? AND id = ? AND done_at = 0`, millis(s.db.now()), caseID, id)
	return changed(res, err, "open task")
}

// Tasks returns a case's tasks, the open ones first.
func (s *CaseStore) Tasks(ctx context.Context, caseID string) ([]*core.Task, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, taskColumns+`WHERE case_id = ? ORDER BY done_at > 0, due_at, rowid`, caseID)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanTask)
}

func scanTask(scan func(...any) error) (*core.Task, error) {
	var t core.Task
	var due, done int64
	err := scan(&t.ID, &t.CaseID, &t.Title, &t.Assignee, &due, &done)
	t.DueAt, t.DoneAt = instant(due), instant(done)
	return &t, err
}

// AddEvidence stores a file with its hash.
func (s *CaseStore) AddEvidence(ctx context.Context, e *core.Evidence, content []byte) error {
	sum := sha256.Sum256(content)
	e.ID, e.SHA256, e.Size, e.At = core.NewID("evidence"), hex.EncodeToString(sum[:]), len(content), instant(millis(s.db.now()))
	writeCtx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(writeCtx, `INSERT INTO case_evidence VALUES (?, ?, ?, ?, ?, ?, ?)`,
		e.ID, e.CaseID, e.Name, e.SHA256, e.AddedBy, millis(e.At), content)
	if err != nil {
		return translate(err, "case")
	}
	return nil
}

// EvidenceOf lists the files of a case.
func (s *CaseStore) EvidenceOf(ctx context.Context, caseID string) ([]*core.Evidence, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT id, case_id, name, sha256, length(content), added_by, at FROM case_evidence WHERE case_id = ? ORDER BY at, rowid`, caseID)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Evidence, error) {
		var e core.Evidence
		var at int64
		err := scan(&e.ID, &e.CaseID, &e.Name, &e.SHA256, &e.Size, &e.AddedBy, &at)
		e.At = instant(at)
		return &e, err
	})
}

// WriteEvidence copies a file, unless it is no longer what its hash says.
func (s *CaseStore) WriteEvidence(caseID, id string, to io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	var sum string
	var content []byte
	row := s.db.read.QueryRowContext(ctx, `SELECT sha256, content FROM case_evidence WHERE case_id = ? AND id = ?`, caseID, id)
	if err := row.Scan(&sum, &content); err != nil {
		return translate(err, "evidence")
	}
	if found := sha256.Sum256(content); hex.EncodeToString(found[:]) != sum {
		return core.Errorf(core.CodeConflict, "the file is not what came in: its hash is another")
	}
	_, err := to.Write(content)
	return err
}
