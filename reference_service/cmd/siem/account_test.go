package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// oneTime returns the code that a phone would show now.
func oneTime(t *testing.T, secret string, ahead int64) string {
	t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, raw)
	_ = binary.Write(mac, binary.BigEndian, time.Now().Unix()/30+ahead)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff)%1_000_000)
}

func TestSecondFactor(t *testing.T) {
	in := serve(t, t.TempDir())
	var factor struct {
		Secret string
		Codes  []string
	}
	in.do("POST", "/api/v1/auth/factor", nil, http.StatusCreated, &factor)
	login := func(code string) object {
		return object{"username": "admin", "password": password, "code": code}
	}
	in.do("POST", "/api/v1/auth/login", login(""), http.StatusOK, nil) // not confirmed yet
	in.do("POST", "/api/v1/auth/factor/confirm", object{"code": "000000x"}, http.StatusBadRequest, nil)
	in.do("POST", "/api/v1/auth/factor/confirm", object{"code": oneTime(t, factor.Secret, 0)}, http.StatusNoContent, nil)
	in.do("POST", "/api/v1/auth/login", login(""), http.StatusUnauthorized, nil)
	in.do("POST", "/api/v1/auth/login", login(oneTime(t, factor.Secret, 1)), http.StatusOK, nil)
	in.do("POST", "/api/v1/auth/login", login(oneTime(t, factor.Secret, 1)), http.StatusUnauthorized, nil)
	in.do("POST", "/api/v1/auth/login", login(factor.Codes[0]), http.StatusOK, nil)
	in.do("POST", "/api/v1/auth/login", login(factor.Codes[0]), http.StatusUnauthorized, nil)
	var me struct {
		User object `json:"user"`
	}
	in.do("GET", "/api/v1/auth/me", nil, http.StatusOK, &me)
	in.do("DELETE", fmt.Sprintf("/api/v1/users/%s/factor", me.User["id"]), nil, http.StatusNoContent, nil)
	in.do("POST", "/api/v1/auth/login", login(""), http.StatusOK, nil)
}

func TestKeysRotateAndTokensAreLookedInto(t *testing.T) {
	in := serve(t, t.TempDir())
	var made, rotated, user, seen object
	in.do("POST", "/api/v1/keys", object{"name": "collector", "permissions": []string{"events:read"}}, http.StatusCreated, &made)
	in.do("POST", fmt.Sprintf("/api/v1/keys/%s/rotate", made["key"].(object)["id"]), nil, http.StatusOK, &rotated)
	admin := in.token
	for _, secret := range []any{made["secret"], rotated["secret"]} {
		in.token = secret.(string)
		in.do("GET", "/api/v1/events", nil, http.StatusOK, nil)
	}
	in.token = admin
	in.do("GET", "/api/v1/keys/stale", nil, http.StatusOK, nil)
	in.do("POST", "/api/v1/users", object{"username": "bob", "password": password, "roles": []string{"analyst"}}, http.StatusCreated, &user)
	var pair struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
	}
	in.do("POST", fmt.Sprintf("/api/v1/users/%s/impersonate", user["id"]), nil, http.StatusOK, &pair)
	in.do("POST", "/api/v1/auth/introspect", object{"token": pair.AccessToken}, http.StatusOK, &seen)
	if seen["active"] != true || seen["username"] != "bob" || pair.RefreshToken != "" {
		t.Fatalf("seen %v, refresh %q", seen, pair.RefreshToken)
	}
	in.token = pair.AccessToken
	in.do("GET", "/api/v1/users", nil, http.StatusForbidden, nil)
}

func TestTenantsHaveQuotas(t *testing.T) {
	in := serve(t, t.TempDir())
	in.do("PUT", "/api/v1/tenants/default", object{"events_per_day": 2, "parallel_searches": 1}, http.StatusOK, nil)
	two := []object{{"kind": "a"}, {"kind": "b"}}
	in.do("POST", "/api/v1/events", two, http.StatusAccepted, nil)
	in.do("POST", "/api/v1/events", two, http.StatusRequestEntityTooLarge, nil)
	in.do("GET", "/api/v1/events", nil, http.StatusOK, nil)
	var usage []object
	in.do("GET", "/api/v1/tenants/default/usage", nil, http.StatusOK, &usage)
	if len(usage) != 1 || usage[0]["events"] != 4.0 {
		t.Fatalf("usage: %v", usage)
	}
	in.do("PUT", "/api/v1/tenants/acme", object{"events_per_day": 10}, http.StatusOK, nil)
	in.do("DELETE", "/api/v1/tenants/acme", nil, http.StatusNotFound, nil)
	in.do("PUT", "/api/v1/tenants/acme", object{"suspended": true}, http.StatusOK, nil)
	in.do("DELETE", "/api/v1/tenants/acme", nil, http.StatusOK, nil)
	in.do("DELETE", "/api/v1/tenants/default", nil, http.StatusConflict, nil)
}

func TestDirectoryMakesUsers(t *testing.T) {
	bob := `{"username":"bob","name":"Bob","email":"bob@acme.example","groups":["soc","none"]}`
	pages := map[string]string{"": `{"entries":[` + bob + `],"next":"2"}`, "2": `{"entries":[{"username":"eve","groups":["soc"]}]}`}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer let-me-in" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, pages[r.URL.Query().Get("cursor")])
	}))
	defer server.Close()
	in := serve(t, t.TempDir(), "SIEM_OUTBOUND_ALLOW=127.0.0.0/8", "SIEM_DIRECTORY_TOKEN=let-me-in")
	var d, result object
	in.do("POST", "/api/v1/directories", object{"name": "people", "url": server.URL, "roles": object{"soc": "analyst"}}, http.StatusCreated, &d)
	path := fmt.Sprintf("/api/v1/directories/%s", d["id"])
	in.do("GET", path+"/preview", nil, http.StatusOK, nil)
	in.do("POST", path+"/sync", nil, http.StatusOK, &result)
	if result["created"] != 2.0 || result["errors"] != nil {
		t.Fatalf("first: %v", result)
	}
	pages[""] = `{"entries":[` + bob + `]}`
	in.do("POST", path+"/sync", nil, http.StatusOK, &result)
	var users []object
	in.do("GET", "/api/v1/users", nil, http.StatusOK, &users)
	disabled := map[any]any{}
	for _, u := range users {
		disabled[u["username"]] = u["disabled"]
	}
	if result["disabled"] != 1.0 || disabled["eve"] != true || disabled["bob"] != false || disabled["admin"] != false {
		t.Fatalf("second: %v, users %v", result, disabled)
	}
}
