package report

import (
	"strings"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/siemtest"
	"example.org/siem/storage"
)

func TestReportsThatAreDueAreMadeAndMailed(t *testing.T) {
	b, mail := siemtest.New(t), &siemtest.Mailbox{}
	b.Closed("noise", core.AlertDismissed)
	b.Case("break-in", time.Time{})
	reports := storage.NewReportStore(b.DB)
	plan := &core.ReportPlan{Meta: core.Meta{Tenant: siemtest.Tenant, Name: "weekly", Enabled: true}, Days: 7, Every: 7, Format: "csv",
		Sections: []string{core.SectionAlerts, core.SectionCases, core.SectionVolume}, Recipients: []string{"boss@acme.example"}}
	b.OK(plan.Validate())
	b.OK(reports.Create(plan))
	r := NewReporter(Stores{Reports: reports, Events: storage.NewEventStore(b.DB), Alerts: storage.NewAlertStore(b.DB), Cases: storage.NewCaseStore(b.DB),
		Tenants: storage.NewTenantStore(b.DB)}, mail, siemtest.Tenant, b.Log)
	for range 2 { // the second time nothing is due
		b.OK(r.runDue(t.Context(), time.Now()))
	}
	mails := mail.Mails()
	if len(mails) != 1 || !strings.Contains(mails[0], "dismissed,1") || !strings.Contains(mails[0], "break-in,open,,1,0.0") {
		t.Errorf("mails: %v", mails)
	}
	r.Start(time.Hour)
	r.Stop()
}
