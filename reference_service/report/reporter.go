// Package report makes reports of what happened, on request and on a schedule,
// and mails them.
package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"example.org/siem/core"
)

// table is one section of a report.
type table struct {
	Title  string     `json:"title"`
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
}

// section makes the table of what happened to a tenant since a time.
type section func(tenant string, since time.Time) (table, error)

// Stores is what reports are made from.
type Stores struct {
	Reports core.ReportStore
	Events  core.EventStore
	Alerts  core.AlertStore
	Cases   core.CaseStore
	Tenants core.TenantStore
}

// Reporter implements core.Reporter. It needs no schedule to be of use:
//
//	made, err := reporter.Generate(plan)
//	err = reports.WriteReport(context.Background(), plan.ID, made.ID, os.Stdout)
type Reporter struct {
	Stores
	mail     core.Mailer
	tenant   string
	log      *slog.Logger
	sections map[string]section
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

// NewReporter returns a reporter; mail may be nil.
func NewReporter(stores Stores, mail core.Mailer, tenant string, log *slog.Logger) *Reporter {
	r := &Reporter{Stores: stores, mail: mail, tenant: tenant, log: log, cancel: func() {}}
	r.sections = map[string]section{core.SectionVolume: r.volume, core.SectionHosts: r.hosts, core.SectionAlerts: r.alerts,
		core.SectionCases: r.cases, core.SectionUsage: r.usage}
	return r
}

// Generate makes a report, and stores how that went, whichever way it was.
func (r *Reporter) Generate(plan *core.ReportPlan) (report *core.Report, err error) {
	report = &core.Report{PlanID: plan.ID, Format: plan.Format}
	if err := r.Reports.BeginReport(context.Background(), report); err != nil {
		return nil, err
	}
	var content []byte
	defer func() {
		if report.Status = "done"; err != nil {
			report.Status, content = "failed", nil
		}
		err = errors.Join(err, r.Reports.FinishReport(report, content))
	}()
	since := time.Now().UTC().AddDate(0, 0, -plan.Days)
	var tables []table
	for _, name := range plan.Sections {
		t, err := r.sections[name](plan.Tenant, since)
		if err != nil {
			return report, fmt.Errorf("section %s: %w", name, err)
		}
		tables = append(tables, t)
	}
	content, err = render(plan, tables)
	return report, err
}

func (r *Reporter) volume(tenant string, since time.Time) (table, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	days, err := r.Events.Histogram(ctx, core.EventFilter{Tenant: tenant, From: since}, 24*time.Hour)
	t := table{Title: "Events a day", Header: []string{"day", "events"}}
	for _, d := range days {
		t.Rows = append(t.Rows, []string{d.Start.Format(time.DateOnly), strconv.Itoa(d.Count)})
	}
	return t, err
}

func (r *Reporter) hosts(tenant string, since time.Time) (table, error) {
	filter := core.EventFilter{Tenant: tenant, From: since}
	top, err := r.Events.TopValues(context.Background(), filter, "host", 20)
	if err != nil {
		return table{}, err
	}
	t := table{Title: "Busiest hosts", Header: []string{"host", "events", "severe"}}
	filter.Min = core.SeverityHigh
	for _, host := range top {
		filter.Host = host.Value
		severe, err := r.Events.CountEvents(context.Background(), filter)
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, []string{host.Value, strconv.Itoa(host.Count), strconv.Itoa(severe)})
	}
	return t, nil
}

func (r *Reporter) alerts(tenant string, since time.Time) (table, error) {
	sum, err := r.Alerts.SummarizeAlerts(tenant, since)
	if err != nil {
		return table{}, err
	}
	t := table{Title: "Alerts", Header: []string{"status", "alerts"}}
	for _, status := range []string{core.AlertOpen, core.AlertAcknowledged, core.AlertResolved, core.AlertDismissed} {
		t.Rows = append(t.Rows, []string{status, strconv.Itoa(sum.ByStatus[status])})
	}
	return t, nil
}

func (r *Reporter) cases(tenant string, since time.Time) (table, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cases, err := r.Cases.ListCases(ctx, core.CaseFilter{Tenant: tenant})
	if err != nil {
		return table{}, err
	}
	t := table{Title: "Cases", Header: []string{"case", "status", "owner", "tasks", "hours"}}
	for _, c := range cases {
		if c.UpdatedAt.Before(since) {
			continue
		}
		tasks, err := r.Cases.Tasks(ctx, c.ID)
		if err != nil {
			return t, err
		}
		end := c.ClosedAt
		if end.IsZero() {
			end = time.Now()
		}
		t.Rows = append(t.Rows, []string{c.Title, c.Status, c.Owner, strconv.Itoa(len(tasks)), fmt.Sprintf("%.1f", end.Sub(c.OpenedAt).Hours())})
	}
	return t, nil
}

func (r *Reporter) usage(tenant string, since time.Time) (table, error) {
	days, err := r.Tenants.UsageOf(tenant, since)
	t := table{Title: "Usage", Header: []string{"day", "events"}}
	for _, d := range days {
		t.Rows = append(t.Rows, []string{d.Day, strconv.Itoa(d.Events)})
	}
	return t, err
}

var page = template.Must(template.New("report").Parse(`<!doctype html><meta charset="utf-8"><title>{{.Name}}</title><h1>{{.Name}}</h1>
{{range .Tables}}<h2>{{.Title}}</h2><table><tr>{{range .Header}}<th>{{.}}{{end}}</tr>{{range .Rows}}<tr>{{range .}}<td>{{.}}{{end}}</tr>{{end}}</table>
{{end}}`))

func render(plan *core.ReportPlan, tables []table) ([]byte, error) {
	var b bytes.Buffer
	switch plan.Format {
	case "json":
		err := json.NewEncoder(&b).Encode(map[string]any{"name": plan.Name, "tables": tables})
		return b.Bytes(), err
	case "html":
		err := page.Execute(&b, map[string]any{"Name": plan.Name, "Tables": tables})
		return b.Bytes(), err
	}
	w := csv.NewWriter(&b)
	for _, t := range tables {
		if err := w.WriteAll(append([][]string{{t.Title}, t.Header}, t.Rows...)); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// Mail sends a report to everybody the plan names.
func (r *Reporter) Mail(ctx context.Context, plan *core.ReportPlan, report *core.Report) error {
	if r.mail == nil {
		return core.Errorf(core.CodeUnavailable, "this server sends no mail")
	}
	var content bytes.Buffer
	if err := r.Reports.WriteReport(context.Background(), plan.ID, report.ID, &content); err != nil {
		return err
	}
	var errs []error
	for _, to := range plan.Recipients {
		mailCtx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		err := r.mail.Send(mailCtx, to, "[siem] "+plan.Name, content.String())
		cancel()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", to, err))
		}
	}
	return errors.Join(errs...)
}

// Start makes and mails reports that are due, now and then until Stop.
func (r *Reporter) Start(tick time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.done.Go(func() {
		core.Every(ctx, tick, func(now time.Time) {
			if err := r.runDue(ctx, now); err != nil {
				r.log.Error("reports were not made", "error", err)
			}
		})
	})
}

func (r *Reporter) runDue(ctx context.Context, now time.Time) error {
	plans, err := r.Reports.List(r.tenant)
	if err != nil {
		return err
	}
	var errs []error
	for _, plan := range plans {
		last, err := r.Reports.LastReport(plan.ID)
		if err != nil && core.ErrorCode(err) != core.CodeNotFound {
			return err
		}
		if !plan.Enabled || plan.Every == 0 || ctx.Err() != nil || (last != nil && now.Before(last.At.AddDate(0, 0, plan.Every))) {
			continue
		}
		report, err := r.Generate(plan)
		if err == nil && len(plan.Recipients) > 0 {
			err = r.Mail(context.Background(), plan, report)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Stop ends the schedule and waits for a report that is being made.
func (r *Reporter) Stop() {
	r.cancel()
	r.done.Wait()
}
