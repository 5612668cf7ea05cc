package api

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"example.org/siem/core"
)

func (s *Server) listCases(w http.ResponseWriter, r *http.Request) error {
	q := &query{r: r}
	filter := core.CaseFilter{Tenant: tenant(r), Status: q.text("status"), Owner: q.text("owner"), Limit: q.number("limit", 100)}
	if q.err != nil {
		return q.err
	}
	cases, err := s.Cases.ListCases(context.Background(), filter)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, cases)
}

func (s *Server) openCase(w http.ResponseWriter, r *http.Request) error {
	c := &core.Case{}
	if err := s.readJSON(w, r, c); err != nil {
		return err
	}
	c.Tenant, c.Owner = tenant(r), cmp.Or(c.Owner, core.ActorFrom(r.Context()))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Cases.OpenCase(ctx, c); err != nil {
		return err
	}
	s.record(r, "case.open", c.ID, c.Title)
	return writeJSON(w, http.StatusCreated, c)
}

// getCase returns a case with all that is in it.
func (s *Server) getCase(w http.ResponseWriter, r *http.Request) error {
	c, err := s.Cases.CaseByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	file := struct {
		Case     *core.Case       `json:"case"`
		Notes    []*core.Note     `json:"notes"`
		Tasks    []*core.Task     `json:"tasks"`
		Evidence []*core.Evidence `json:"evidence"`
		Alerts   []*core.Alert    `json:"alerts"`
	}{Case: c, Alerts: []*core.Alert{}}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		file.Notes, err = s.Cases.Notes(ctx, c.ID)
		return err
	})
	group.Go(func() (err error) {
		file.Tasks, err = s.Cases.Tasks(ctx, c.ID)
		return err
	})
	group.Go(func() (err error) {
		file.Evidence, err = s.Cases.EvidenceOf(ctx, c.ID)
		return err
	})
	group.Go(func() error {
		for _, id := range c.AlertIDs {
			a, err := s.Alerts.AlertByID(c.Tenant, id)
			if err != nil {
				return err
			}
			file.Alerts = append(file.Alerts, a)
		}
		return ctx.Err()
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, file)
}

// updateCase changes what it is given.
func (s *Server) updateCase(w http.ResponseWriter, r *http.Request) error {
	c, err := s.Cases.CaseByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	before := c.Owner
	patch := struct {
		Title    *string        `json:"title"`
		Severity *core.Severity `json:"severity"`
		Status   *string        `json:"status"`
		Owner    *string        `json:"owner"`
		Summary  *string        `json:"summary"`
	}{&c.Title, &c.Severity, &c.Status, &c.Owner, &c.Summary}
	if err := s.readJSON(w, r, &patch); err != nil {
		return err
	}
	if err := s.Cases.UpdateCase(context.Background(), c); err != nil {
		return err
	}
	if c.Owner != before {
		s.notify(c.ID, c.Tenant, "case.owner", core.ActorFrom(r.Context()))
		s.tellOwner(c)
	}
	return writeJSON(w, http.StatusOK, c)
}

func (s *Server) closeCase(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Resolution string `json:"resolution"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	if strings.TrimSpace(body.Resolution) == "" {
		return core.Errorf(core.CodeInvalid, "resolution is required")
	}
	if err := s.Cases.CloseCase(r.Context(), tenant(r), r.PathValue("id"), body.Resolution); err != nil {
		return err
	}
	s.record(r, "case.close", r.PathValue("id"), body.Resolution)
	return noContent(w)
}

func (s *Server) mergeCases(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		From string `json:"from"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	if body.From == r.PathValue("id") {
		return core.Errorf(core.CodeInvalid, "a case can't be merged into itself")
	}
	if err := s.Cases.MergeCases(tenant(r), r.PathValue("id"), body.From); err != nil {
		return err
	}
	s.record(r, "case.merge", r.PathValue("id"), body.From)
	return noContent(w)
}

func (s *Server) linkAlerts(w http.ResponseWriter, r *http.Request) error {
	var ids []string
	if err := s.readJSON(w, r, &ids); err != nil {
		return err
	}
	c, err := s.Cases.CaseByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	linked, err := s.Cases.LinkAlerts(c.Tenant, c.ID, ids)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]int{"linked": linked})
}

func (s *Server) addNote(w http.ResponseWriter, r *http.Request) error {
	note := &core.Note{}
	if err := s.readJSON(w, r, note); err != nil {
		return err
	}
	c, err := s.Cases.CaseByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	note.CaseID, note.Author = c.ID, core.ActorFrom(r.Context())
	if err := s.Cases.AddNote(context.Background(), note); err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, note)
}

func (s *Server) addTask(w http.ResponseWriter, r *http.Request) error {
	task := &core.Task{}
	if err := s.readJSON(w, r, task); err != nil {
		return err
	}
	c, err := s.Cases.CaseByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	if task.CaseID = c.ID; strings.TrimSpace(task.Title) == "" {
		return core.Errorf(core.CodeInvalid, "title is required")
	}
	if err := s.Cases.AddTask(task); err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, task)
}

func (s *Server) finishTask(w http.ResponseWriter, r *http.Request) error {
	c, err := s.Cases.CaseByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Cases.FinishTask(ctx, c.ID, r.PathValue("task")); err != nil {
		return err
	}
	return noContent(w)
}

// addEvidence stores the body as a file of a case.
func (s *Server) addEvidence(w http.ResponseWriter, r *http.Request) error {
	content, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	c, err := s.Cases.CaseByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	name := r.URL.Query().Get("name")
	if name == "" || strings.ContainsAny(name, "/\\\r\n\"") || len(content) == 0 {
		return core.Errorf(core.CodeInvalid, "a file has a name without a path, and content")
	}
	e := &core.Evidence{CaseID: c.ID, Name: name, AddedBy: core.ActorFrom(r.Context())}
	if err := s.Cases.AddEvidence(context.Background(), e, content); err != nil {
		return err
	}
	s.record(r, "case.evidence", c.ID, e.SHA256)
	return writeJSON(w, http.StatusCreated, e)
}

func (s *Server) getEvidence(w http.ResponseWriter, r *http.Request) error {
	c, err := s.Cases.CaseByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	return s.Cases.WriteEvidence(c.ID, r.PathValue("file"), w)
}

// moment is one line of a case's timeline.
type moment struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	Text string    `json:"text"`
}

// caseTimeline puts what happened, and what people noted, in order.
func (s *Server) caseTimeline(w http.ResponseWriter, r *http.Request) error {
	c, err := s.Cases.CaseByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	notes, err := s.Cases.Notes(ctx, c.ID)
	if err != nil {
		return err
	}
	line := []moment{{c.OpenedAt, "case", "opened: " + c.Title}}
	for _, n := range notes {
		line = append(line, moment{n.At, "note", n.Author + ": " + n.Text})
	}
	for _, id := range c.AlertIDs {
		a, err := s.Alerts.AlertByID(c.Tenant, id)
		if err != nil {
			return err
		}
		line = append(line, moment{a.FirstSeen, "alert", a.Title})
		for _, eventID := range a.EventIDs {
			e, err := s.Events.Event(ctx, c.Tenant, eventID)
			if core.ErrorCode(err) == core.CodeNotFound {
				continue
			}
			if err != nil {
				return err
			}
			line = append(line, moment{e.At, "event", e.Kind + " on " + e.Host})
		}
	}
	slices.SortStableFunc(line, func(a, b moment) int { return a.At.Compare(b.At) })
	return writeJSON(w, http.StatusOK, line)
}

// overdueTasks lists the tasks of the tenant's cases that should have been done.
func (s *Server) overdueTasks(w http.ResponseWriter, r *http.Request) error {
	all, err := s.Cases.OverdueTasks(context.Background(), time.Now())
	if err != nil {
		return err
	}
	own := []*core.Task{}
	for _, task := range all {
		_, err := s.Cases.CaseByID(tenant(r), task.CaseID)
		if core.ErrorCode(err) == core.CodeNotFound {
			continue
		}
		if err != nil {
			return err
		}
		own = append(own, task)
	}
	return writeJSON(w, http.StatusOK, own)
}

// tellOwner mails somebody that a case is theirs now; the answer does not wait for it.
func (s *Server) tellOwner(c *core.Case) {
	owner, err := s.Users.UserByName(c.Tenant, c.Owner)
	if err != nil || owner.Email == "" || s.Mail == nil {
		return
	}
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Mail.Send(ctx, owner.Email, "[siem] a case for you: "+c.Title, c.Summary); err != nil {
			s.log.Warn("owner of a case was not told", "case", c.ID, "error", err)
		}
	})
}

// exportCase writes everything of a case as a tar archive, for those who take it on.
func (s *Server) exportCase(w http.ResponseWriter, r *http.Request) error {
	c, err := s.Cases.CaseByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	notes, err := s.Cases.Notes(ctx, c.ID)
	if err != nil {
		return err
	}
	evidence, err := s.Cases.EvidenceOf(ctx, c.ID)
	if err != nil {
		return err
	}
	summary, err := json.MarshalIndent(map[string]any{"case": c, "notes": notes, "evidence": evidence}, "", "  ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-tar")
	archive := tar.NewWriter(w)
	put := func(name string, content []byte) error {
		if err := archive.WriteHeader(&tar.Header{Name: c.ID + "/" + name, Mode: 0o600, Size: int64(len(content)), ModTime: c.UpdatedAt}); err != nil {
			return err
		}
		_, err := archive.Write(content)
		return err
	}
	if err := put("case.json", summary); err != nil {
		return err
	}
	for _, e := range evidence {
		var content bytes.Buffer
		if err := s.Cases.WriteEvidence(c.ID, e.ID, &content); err != nil {
			return err
		}
		if err := put(e.ID+"-"+e.Name, content.Bytes()); err != nil {
			return err
		}
	}
	return archive.Close()
}
