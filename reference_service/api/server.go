// Package api is the service's HTTP interface.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.org/siem/core"
)

// Stores is where the server keeps things.
type Stores struct {
	Users        core.UserStore
	Roles        core.RoleStore
	Sessions     core.SessionStore
	Events       core.EventStore
	Analyst      core.Analyst
	Rules        core.RuleStore
	Alerts       core.AlertStore
	Correlations core.CorrelationStore
	Actions      core.ActionStore
	Playbooks    core.PlaybookStore
	Exceptions   core.ExceptionStore
	Searches     core.SearchStore
	Feeds        core.FeedStore
	Assets       core.AssetStore
	Keys         core.KeyStore
	Rotator      core.KeyRotator
	Factors      core.FactorStore
	Tenants      core.TenantStore
	Directories  core.Collection[core.Directory]
	Cases        core.CaseStore
	Watchlists   core.WatchlistStore
	Dashboards   core.Collection[core.Dashboard]
	Hooks        core.HookStore
	Approvals    core.ApprovalStore

	Subscriptions core.SubscriptionStore
	Hunts         core.HuntStore
	Reports       core.ReportStore
	Packs         core.PackStore
	Sources       core.SourceStore
	Exports       core.ExportStore
	Inventory     core.Inventory
	Feedback      core.FeedbackStore
	Indicators    core.IndicatorStore
	Runs          core.RunStore
	Similar       core.Similar

	Audit     core.AuditLog
	Retention core.RetentionStore
}

// Database is what the server asks the database about itself.
type Database interface {
	Ping() error
	InUse() int
	Waiting() int64
	Size() (int64, error)
	Backup(path string) (int64, error)
	Check(ctx context.Context) ([]string, error)
	Optimize() error
}

// Config is what an operator chooses.
type Config struct {
	SigningKey     []byte
	AccessTTL      time.Duration
	RefreshTTL     time.Duration
	RequestTimeout time.Duration
	MaxBody        int64
	BackupDir      string
}

// Server is an http.Handler with everything under /api/v1, and /metrics.
type Server struct {
	Stores
	Engines
	cfg      Config
	db       Database
	log      *slog.Logger
	registry *prometheus.Registry
	metrics  *metrics
	handler  http.Handler
	quotas   quotas

	ctx        context.Context
	stop       context.CancelFunc
	background sync.WaitGroup
}

// Engines is what does the work that requests ask for.
type Engines struct {
	Bus       *core.Bus
	Detector  core.Detector
	Runner    core.ActionRunner
	Responder core.Responder
	Scorer    core.Scorer
	Refresher core.Refresher
	Replayer  core.Replayer
	Enricher  core.Enricher
	Syncer    core.Syncer
	Mail      core.Mailer
	Notifier  core.Notifier
	Hunter    core.Hunter
	Reporter  core.Reporter
	Packer    core.Packer
	Puller    core.Puller
	Exporter  core.Exporter
	Keeper    core.Keeper
	Reviewer  core.Reviewer
	Conductor core.Conductor
	ParseLine func(line string, now time.Time) (*core.Event, error)
}

// New returns a server. Close ends what it runs besides requests.
func New(cfg Config, stores Stores, engines Engines, db Database, log *slog.Logger) *Server {
	s := &Server{Stores: stores, cfg: cfg, Engines: engines, db: db, log: log, registry: prometheus.NewRegistry()}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.metrics = newMetrics(s.registry, s)
	mux := http.NewServeMux()
	s.routes(mux)
	s.handler = s.identified(s.recovered(s.observed(s.limited(s.routed(mux)))))
	return s
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends the server's own work and waits for it, at most until ctx ends.
func (s *Server) Close(ctx context.Context) error {
	s.stop()
	done := make(chan struct{})
	go func() {
		s.background.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type handlerFunc func(w http.ResponseWriter, r *http.Request) error

// routes says who may call what.
func (s *Server) routes(mux *http.ServeMux) {
	open := func(pattern string, h handlerFunc) { mux.Handle(pattern, s.answered(h)) }
	on := func(pattern string, p core.Permission, h handlerFunc) {
		mux.Handle(pattern, s.answered(s.authenticated(p, h)))
	}
	s.identityRoutes(open, on)
	s.eventRoutes(on)
	s.detectionRoutes(on)
	s.responseRoutes(on)
	s.deskRoutes(open, on)
	s.upkeepRoutes(on)
	s.operationRoutes(open, on)
}

func (s *Server) identityRoutes(open func(string, handlerFunc), on func(string, core.Permission, handlerFunc)) {
	open("POST /api/v1/auth/login", s.login)
	open("POST /api/v1/auth/refresh", s.refresh)
	on("POST /api/v1/auth/logout", "", s.logout)
	on("GET /api/v1/auth/me", "", s.me)
	on("POST /api/v1/auth/password", "", s.changePassword)
	on("GET /api/v1/sessions", "", s.listSessions)
	on("DELETE /api/v1/sessions/{id}", "", s.revokeSession)
	on("DELETE /api/v1/sessions", "", s.revokeOtherSessions)
	on("GET /api/v1/users", core.PermissionAdmin, s.listUsers)
	on("POST /api/v1/users", core.PermissionAdmin, s.createUser)
	on("GET /api/v1/users/{id}", core.PermissionAdmin, s.getUser)
	on("PATCH /api/v1/users/{id}", core.PermissionAdmin, s.updateUser)
	on("DELETE /api/v1/users/{id}", core.PermissionAdmin, s.deleteUser)
	on("PUT /api/v1/users/{id}/roles", core.PermissionAdmin, s.grantRoles)
	on("GET /api/v1/keys", core.PermissionAdmin, s.listKeys)
	on("POST /api/v1/keys", core.PermissionAdmin, s.createKey)
	on("DELETE /api/v1/keys/{id}", core.PermissionAdmin, s.revokeKey)
	on("GET /api/v1/keys/stale", core.PermissionAdmin, s.staleKeys)
	on("POST /api/v1/keys/{id}/rotate", core.PermissionAdmin, s.rotateKey)
	open("POST /api/v1/auth/reset", s.requestReset)
	open("POST /api/v1/auth/reset/complete", s.completeReset)
	on("POST /api/v1/auth/introspect", "", s.introspect)
	on("POST /api/v1/auth/factor", "", s.enrollFactor)
	on("POST /api/v1/auth/factor/confirm", "", s.confirmFactor)
	on("DELETE /api/v1/users/{id}/factor", core.PermissionAdmin, s.removeFactor)
	on("POST /api/v1/users/{id}/impersonate", core.PermissionAll, s.impersonate)
	on("GET /api/v1/tenants", core.PermissionAll, s.listTenants)
	on("PUT /api/v1/tenants/{name}", core.PermissionAll, s.saveTenant)
	on("DELETE /api/v1/tenants/{name}", core.PermissionAll, s.removeTenant)
	on("GET /api/v1/tenants/{name}/usage", core.PermissionAll, s.tenantUsage)
	serve(s, on, "directories", core.PermissionAdmin, s.Directories)
	on("POST /api/v1/directories/{id}/sync", core.PermissionAdmin, s.syncDirectory)
	on("GET /api/v1/directories/{id}/preview", core.PermissionAdmin, s.previewDirectory)
	on("GET /api/v1/roles", core.PermissionAdmin, s.listRoles)
	on("PUT /api/v1/roles/{name}", core.PermissionAdmin, s.saveRole)
	on("DELETE /api/v1/roles/{name}", core.PermissionAdmin, s.deleteRole)
}

func (s *Server) eventRoutes(on func(string, core.Permission, handlerFunc)) {
	on("POST /api/v1/events", core.PermissionIngest, s.ingest)
	on("POST /api/v1/events/lines", core.PermissionIngest, s.ingestLines)
	on("GET /api/v1/events", core.PermissionRead, s.searchEvents)
	on("GET /api/v1/events/stream", core.PermissionRead, s.followEvents)
	on("GET /api/v1/events/{id}", core.PermissionRead, s.getEvent)
	on("GET /api/v1/events/export", core.PermissionRead, s.exportEvents)
	on("GET /api/v1/events/histogram", core.PermissionRead, s.histogram)
	on("GET /api/v1/events/top", core.PermissionRead, s.topValues)
	on("GET /api/v1/events/paths", core.PermissionRead, s.paths)
	on("POST /api/v1/events/sequences", core.PermissionRead, s.sequences)
	on("GET /api/v1/dashboard", core.PermissionRead, s.dashboard)
	on("GET /api/v1/assets", core.PermissionRead, s.listAssets)
	on("GET /api/v1/assets/{host}", core.PermissionRead, s.getAsset)
	on("PUT /api/v1/assets/{host}", core.PermissionDetection, s.saveAsset)
	on("DELETE /api/v1/assets/{host}", core.PermissionDetection, s.forgetAsset)
	serve(s, on, "searches", core.PermissionRead, s.Searches)
	on("GET /api/v1/searches/visible", core.PermissionRead, s.visibleSearches)
	on("POST /api/v1/searches/{id}/share", core.PermissionRead, s.shareSearch)
	on("POST /api/v1/searches/{id}/run", core.PermissionRead, s.runSearch)
}

func (s *Server) detectionRoutes(on func(string, core.Permission, handlerFunc)) {
	on("GET /api/v1/rules", core.PermissionRead, s.listRules)
	on("POST /api/v1/rules", core.PermissionDetection, s.createRule)
	on("POST /api/v1/rules/import", core.PermissionDetection, s.importRules)
	on("GET /api/v1/rules/{id}", core.PermissionRead, s.getRule)
	on("PUT /api/v1/rules/{id}", core.PermissionDetection, s.updateRule)
	on("DELETE /api/v1/rules/{id}", core.PermissionDetection, s.deleteRule)
	on("POST /api/v1/rules/{id}/enable", core.PermissionDetection, s.enableRule)
	on("GET /api/v1/rules/{id}/versions", core.PermissionRead, s.ruleVersions)
	on("POST /api/v1/rules/{id}/backtest", core.PermissionDetection, s.backtest)
	on("GET /api/v1/alerts", core.PermissionRead, s.listAlerts)
	on("GET /api/v1/alerts/summary", core.PermissionRead, s.alertSummary)
	on("GET /api/v1/alerts/stream", core.PermissionRead, s.streamAlerts)
	on("POST /api/v1/alerts/status", core.PermissionAlerts, s.moveAlerts)
	on("GET /api/v1/alerts/{id}", core.PermissionRead, s.getAlert)
	on("POST /api/v1/alerts/{id}/status", core.PermissionAlerts, s.moveAlert)
	on("POST /api/v1/alerts/{id}/assignee", core.PermissionAlerts, s.assignAlert)
	on("POST /api/v1/alerts/{id}/comments", core.PermissionAlerts, s.commentAlert)
	on("POST /api/v1/alerts/{id}/score", core.PermissionAlerts, s.scoreAlert)
	on("POST /api/v1/events/replay", core.PermissionDetection, s.replay)
	on("POST /api/v1/events/explain", core.PermissionRead, s.explain)
	on("GET /api/v1/about/{sort}/{value}", core.PermissionRead, s.about)
	on("GET /api/v1/models", core.PermissionRead, s.listModels)
	on("POST /api/v1/models", core.PermissionDetection, s.trainModel)
	serve(s, on, "correlations", core.PermissionDetection, s.Correlations)
	on("GET /api/v1/correlations/{id}/counters", core.PermissionRead, s.counters)
	on("DELETE /api/v1/correlations/{id}/counters", core.PermissionDetection, s.resetCounters)
	serve(s, on, "exceptions", core.PermissionDetection, s.Exceptions)
}

func (s *Server) responseRoutes(on func(string, core.Permission, handlerFunc)) {
	serve(s, on, "actions", core.PermissionResponse, s.Actions)
	on("POST /api/v1/actions/{id}/test", core.PermissionResponse, s.testAction)
	on("POST /api/v1/actions/{id}/check", core.PermissionResponse, s.checkAction)
	on("POST /api/v1/alerts/{id}/respond", core.PermissionResponse, s.respond)
	on("GET /api/v1/actions/{id}/runs", core.PermissionRead, s.actionRuns)
	serve(s, on, "playbooks", core.PermissionResponse, s.Playbooks)
	on("POST /api/v1/playbooks/{id}/run", core.PermissionResponse, s.runPlaybook)
	on("GET /api/v1/playbooks/{id}/runs", core.PermissionRead, s.playbookRuns)
	serve(s, on, "feeds", core.PermissionResponse, s.Feeds)
	on("POST /api/v1/feeds/{id}/refresh", core.PermissionResponse, s.refreshFeed)
	on("POST /api/v1/indicators/lookup", core.PermissionRead, s.lookupIndicators)
}

// deskRoutes is what people work with all day.
func (s *Server) deskRoutes(open func(string, handlerFunc), on func(string, core.Permission, handlerFunc)) {
	on("GET /api/v1/cases", core.PermissionRead, s.listCases)
	on("POST /api/v1/cases", core.PermissionAlerts, s.openCase)
	on("GET /api/v1/cases/{id}", core.PermissionRead, s.getCase)
	on("PATCH /api/v1/cases/{id}", core.PermissionAlerts, s.updateCase)
	on("POST /api/v1/cases/{id}/close", core.PermissionAlerts, s.closeCase)
	on("POST /api/v1/cases/{id}/merge", core.PermissionAlerts, s.mergeCases)
	on("POST /api/v1/cases/{id}/alerts", core.PermissionAlerts, s.linkAlerts)
	on("POST /api/v1/cases/{id}/notes", core.PermissionAlerts, s.addNote)
	on("POST /api/v1/cases/{id}/tasks", core.PermissionAlerts, s.addTask)
	on("POST /api/v1/cases/{id}/tasks/{task}/done", core.PermissionAlerts, s.finishTask)
	on("POST /api/v1/cases/{id}/evidence", core.PermissionAlerts, s.addEvidence)
	on("GET /api/v1/cases/{id}/evidence/{file}", core.PermissionRead, s.getEvidence)
	on("GET /api/v1/cases/overdue", core.PermissionRead, s.overdueTasks)
	on("GET /api/v1/cases/{id}/archive", core.PermissionRead, s.exportCase)
	on("GET /api/v1/cases/{id}/timeline", core.PermissionRead, s.caseTimeline)
	serve(s, on, "watchlists", core.PermissionDetection, s.Watchlists)
	on("GET /api/v1/watchlists/{id}/entries", core.PermissionRead, s.listEntries)
	on("POST /api/v1/watchlists/{id}/entries", core.PermissionDetection, s.addEntries)
	on("GET /api/v1/watchlists/{id}/export", core.PermissionRead, s.exportEntries)
	on("DELETE /api/v1/watchlists/{id}/entries/{value}", core.PermissionDetection, s.removeEntry)
	serve(s, on, "dashboards", core.PermissionRead, s.Dashboards)
	on("GET /api/v1/dashboards/{id}/data", core.PermissionRead, s.drawDashboard)
	serve(s, on, "hooks", core.PermissionResponse, s.Hooks)
	open("POST /api/v1/hooks/{id}/deliver", s.deliver)
	on("POST /api/v1/hooks/{id}/secret", core.PermissionResponse, s.newHookSecret)
	on("GET /api/v1/hooks/{id}/deliveries", core.PermissionRead, s.listDeliveries)
	serve(s, on, "subscriptions", core.PermissionRead, s.Subscriptions)
	on("POST /api/v1/subscriptions/{id}/test", core.PermissionRead, s.testSubscription)
	on("POST /api/v1/subscriptions/{id}/flush", core.PermissionRead, s.flushSubscription)
	on("GET /api/v1/subscriptions/{id}/messages", core.PermissionRead, s.queuedMessages)
	serve(s, on, "hunts", core.PermissionDetection, s.Hunts)
	on("POST /api/v1/hunts/{id}/run", core.PermissionDetection, s.runHunt)
	on("GET /api/v1/hunts/{id}/results", core.PermissionRead, s.huntResults)
	on("GET /api/v1/hunts/{id}/days", core.PermissionRead, s.compareHunt)
	serve(s, on, "reports", core.PermissionRead, s.Reports)
	on("POST /api/v1/reports/{id}/make", core.PermissionRead, s.makeReport)
	on("GET /api/v1/reports/{id}/made", core.PermissionRead, s.listReports)
	on("GET /api/v1/reports/{id}/made/{report}", core.PermissionRead, s.getReport)
	on("POST /api/v1/reports/{id}/made/{report}/mail", core.PermissionResponse, s.mailReport)
	on("GET /api/v1/approvals", core.PermissionRead, s.listApprovals)
	on("POST /api/v1/approvals/{id}", core.PermissionResponse, s.decideApproval)
}

func (s *Server) upkeepRoutes(on func(string, core.Permission, handlerFunc)) {
	on("POST /api/v1/alerts/{id}/feedback", core.PermissionAlerts, s.giveFeedback)
	on("GET /api/v1/alerts/{id}/similar", core.PermissionRead, s.similarAlerts)
	on("POST /api/v1/alerts/assignee", core.PermissionAlerts, s.assignAlerts)
	on("POST /api/v1/alerts/score", core.PermissionDetection, s.scoreOpen)
	on("GET /api/v1/models/drift", core.PermissionRead, s.drift)
	on("POST /api/v1/models/{version}/evaluate", core.PermissionDetection, s.evaluateModel)
	on("POST /api/v1/indicators", core.PermissionResponse, s.addIndicators)
	on("DELETE /api/v1/indicators/{value}", core.PermissionResponse, s.removeIndicator)
	on("GET /api/v1/indicators/{value}/sightings", core.PermissionRead, s.sightings)
	on("POST /api/v1/playbooks/{id}/rehearse", core.PermissionRead, s.rehearse)
	on("POST /api/v1/playbooks/{id}/run-all", core.PermissionResponse, s.runForMany)
	on("POST /api/v1/runs/{id}/resume", core.PermissionResponse, s.resumeRun)
	on("GET /api/v1/runs/statistics", core.PermissionRead, s.runStatistics)
	on("GET /api/v1/maintenance/copies", core.PermissionAdmin, s.listCopies)
	on("POST /api/v1/maintenance/copies/{name}/verify", core.PermissionAdmin, s.verifyCopy)
	on("POST /api/v1/maintenance/copies/{name}/upload", core.PermissionAdmin, s.uploadCopy)
	on("GET /api/v1/diagnostics", core.PermissionAdmin, s.diagnostics)
	serve(s, on, "packs", core.PermissionDetection, s.Packs)
	on("GET /api/v1/packs/outdated", core.PermissionRead, s.outdatedPacks)
	on("GET /api/v1/packs/{id}/diff", core.PermissionDetection, s.diffPack)
	on("POST /api/v1/packs/{id}/install", core.PermissionDetection, s.installPack)
	on("POST /api/v1/packs/{id}/uninstall", core.PermissionDetection, s.uninstallPack)
	serve(s, on, "sources", core.PermissionAdmin, s.Sources)
	on("POST /api/v1/sources/{id}/pull", core.PermissionAdmin, s.pullSource)
	on("GET /api/v1/exports", core.PermissionRead, s.listExports)
	on("POST /api/v1/exports", core.PermissionRead, s.queueExport)
	on("GET /api/v1/exports/{id}", core.PermissionRead, s.getExport)
	on("GET /api/v1/exports/{id}/content", core.PermissionRead, s.readExport)
	on("DELETE /api/v1/exports/{id}", core.PermissionRead, s.cancelExport)
	on("POST /api/v1/assets/import", core.PermissionDetection, s.importAssets)
}

func (s *Server) operationRoutes(open func(string, handlerFunc), on func(string, core.Permission, handlerFunc)) {
	open("GET /api/v1/health", s.health)
	open("GET /api/v1/ready", s.ready)
	open("GET /metrics", s.serveMetrics)
	on("GET /api/v1/audit", core.PermissionAdmin, s.listAudit)
	on("POST /api/v1/audit/verify", core.PermissionAdmin, s.verifyAudit)
	on("GET /api/v1/retention", core.PermissionAdmin, s.listRetention)
	on("PUT /api/v1/retention/{kind}", core.PermissionAdmin, s.setRetention)
	on("POST /api/v1/retention/sweep", core.PermissionAdmin, s.sweep)
	on("POST /api/v1/maintenance/backup", core.PermissionAdmin, s.backup)
	on("POST /api/v1/maintenance/check", core.PermissionAdmin, s.checkDatabase)
	on("POST /api/v1/maintenance/optimize", core.PermissionAdmin, s.optimize)
}
