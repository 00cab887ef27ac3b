// penumbra-agent: the privileged daemon of one host. It does what the coordinator asks as far as root of this host
// allows, and undoes it when nobody confirms: see docs/architecture.md.

#include <csignal>
#include <cstdio>
#include <optional>
#include <span>
#include <string_view>

#include "agent/daemon.hpp"
#include "agent/enrol.hpp"
#include "base/log.hpp"
#include "proto/spec/policy_file.hpp"
#include "proto/spec/services_file.hpp"
#include "proto/spec/settings_file.hpp"

namespace penumbra::agent {
namespace {

constexpr const char* kSettings = "/etc/penumbra/agent.toml";
constexpr const char* kPolicy = "/etc/penumbra/policy.toml";
constexpr const char* kServices = "/etc/penumbra/services.toml";
constexpr const char* kUsage =
    "usage: penumbra-agent                                                            serve, as systemd does\n"
    "       penumbra-agent check                                                      read its files and say what they "
    "mean\n"
    "       penumbra-agent enrol --server ADDRESS:PORT --server-key KEY --token TOKEN  join a fleet\n";

Result<Setup> read_setup() {
    Setup setup{.settings = TRY(spec::load_agent_settings(kSettings)), .policy = kPolicy};
    for (spec::Service& service : TRY(spec::load_services(kServices))) {
        setup.addresses[service.vm] = {.servers = std::move(service.servers), .gateways = std::move(service.gateways)};
    }
    return setup;
}

Result<void> check() {
    const Setup setup = TRY(read_setup());
    const model::Policy policy = TRY(spec::load_policy(kPolicy));
    std::printf("host %s, coordinator %s, ceiling '%s', %zu services: fine\n", setup.settings.host.text().c_str(),
                setup.settings.server.c_str(), std::string(model::to_string(policy.ceiling)).c_str(),
                setup.addresses.size());
    return {};
}

/// Of `enrol`; nothing where the command line is malformed.
std::optional<Invitation> invitation_in(std::span<char* const> words) {
    if (words.size() != 7 || std::string_view(words[0]) != "enrol") return std::nullopt;
    Invitation invitation;
    for (std::size_t i = 1; i < words.size(); i += 2) {
        const std::string_view option(words[i]);
        if (option == "--server") invitation.server = words[i + 1];
        if (option == "--server-key") invitation.server_key = words[i + 1];
        if (option == "--token") invitation.token = words[i + 1];
    }
    if (invitation.server.empty() || invitation.server_key.empty() || invitation.token.empty()) return std::nullopt;
    return invitation;
}

Result<void> join(const Invitation& invitation) {
    const spec::AgentSettings settings = TRY(enrol(invitation, kSettings));
    std::printf("this host is '%s' of the coordinator at %s; systemctl enable --now penumbra-agent starts its agent\n",
                settings.host.text().c_str(), settings.server.c_str());
    return {};
}

Result<void> serve() {
    Daemon daemon(TRY(read_setup()));
    return daemon.run();
}

}  // namespace
}  // namespace penumbra::agent

int main(int argc, char** argv) {
    // A libvirtd that dies is an error of the call, not the end of this process.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    const auto words = std::span<char* const>(argv, static_cast<std::size_t>(argc)).subspan(1);
    const std::string_view verb = words.empty() ? std::string_view() : std::string_view(words[0]);
    penumbra::Result<void> done;
    if (words.empty()) {
        done = penumbra::agent::serve();
    } else if (verb == "check" && words.size() == 1) {
        done = penumbra::agent::check();
    } else if (const auto invitation = penumbra::agent::invitation_in(words); invitation.has_value()) {
        done = penumbra::agent::join(*invitation);
    } else {
        std::fprintf(stderr, "%s", penumbra::agent::kUsage);
        return 2;
    }
    if (done.has_value()) return 0;
    penumbra::log::error("agent.ended", done.error());
    return 1;
}
