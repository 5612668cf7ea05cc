package api

import (
	"context"
	"net/http"
	"time"

	"example.org/siem/core"
)

func (s *Server) listUsers(w http.ResponseWriter, r *http.Request) error {
	users, err := s.Users.ListUsers(tenant(r))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, users)
}

func (s *Server) createUser(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		core.User
		Password string `json:"password"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	hash, err := hashPassword(body.Password)
	if err != nil {
		return err
	}
	user := &body.User
	user.Tenant, user.PasswordHash = tenant(r), hash
	if err := s.Users.CreateUser(user); err != nil {
		return err
	}
	s.record(r, "user.create", user.ID, user.Username)
	return writeJSON(w, http.StatusCreated, user)
}

func (s *Server) getUser(w http.ResponseWriter, r *http.Request) error {
	user, err := s.userInTenant(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, user)
}

// updateUser changes what it is given; disabling somebody also ends their logins.
func (s *Server) updateUser(w http.ResponseWriter, r *http.Request) error {
	user, err := s.userInTenant(r)
	if err != nil {
		return err
	}
	wasDisabled := user.Disabled
	patch := struct {
		DisplayName *string `json:"display_name"`
		Email       *string `json:"email"`
		Disabled    *bool   `json:"disabled"`
	}{&user.DisplayName, &user.Email, &user.Disabled}
	if err := s.readJSON(w, r, &patch); err != nil {
		return err
	}
	if err := s.Users.UpdateUser(user); err != nil {
		return err
	}
	if user.Disabled && !wasDisabled {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := s.Sessions.RevokeUser(ctx, user.ID); err != nil {
			return err
		}
	}
	s.record(r, "user.update", user.ID, "")
	return writeJSON(w, http.StatusOK, user)
}

func (s *Server) deleteUser(w http.ResponseWriter, r *http.Request) error {
	user, err := s.userInTenant(r)
	if err != nil {
		return err
	}
	if user.ID == core.PrincipalFrom(r.Context()).UserID {
		return core.Errorf(core.CodeConflict, "nobody deletes their own account")
	}
	if _, err := s.Sessions.RevokeUser(context.Background(), user.ID); err != nil {
		return err
	}
	if err := s.Users.DeleteUser(user.Tenant, user.ID); err != nil {
		return err
	}
	s.record(r, "user.delete", user.ID, user.Username)
	return noContent(w)
}

func (s *Server) grantRoles(w http.ResponseWriter, r *http.Request) error {
	var roles []string
	if err := s.readJSON(w, r, &roles); err != nil {
		return err
	}
	user, err := s.userInTenant(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Roles.Grant(ctx, user.ID, roles); err != nil {
		return err
	}
	s.record(r, "user.grant", user.ID, "")
	return s.getUser(w, r)
}

func (s *Server) listRoles(w http.ResponseWriter, r *http.Request) error {
	roles, err := s.Roles.ListRoles(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, roles)
}

func (s *Server) saveRole(w http.ResponseWriter, r *http.Request) error {
	var role core.Role
	if err := s.readJSON(w, r, &role); err != nil {
		return err
	}
	role.Name, role.Builtin = r.PathValue("name"), false
	if len(role.Permissions) == 0 {
		return core.Errorf(core.CodeInvalid, "a role needs permissions")
	}
	if err := core.ValidatePermissions(role.Permissions); err != nil {
		return err
	}
	if err := s.Roles.SaveRole(context.Background(), &role); err != nil {
		return err
	}
	s.record(r, "role.save", role.Name, "")
	return writeJSON(w, http.StatusOK, role)
}

func (s *Server) deleteRole(w http.ResponseWriter, r *http.Request) error {
	if err := s.Roles.DeleteRole(context.Background(), r.PathValue("name")); err != nil {
		return err
	}
	s.record(r, "role.delete", r.PathValue("name"), "")
	return noContent(w)
}

// userInTenant returns the user a path names, if the caller's tenant has it.
func (s *Server) userInTenant(r *http.Request) (*core.User, error) {
	user, err := s.Users.UserByID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if user.Tenant != tenant(r) {
		return nil, core.Errorf(core.CodeNotFound, "no such user")
	}
	return user, nil
}
