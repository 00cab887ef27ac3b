// penumbra-agent: the privileged daemon of one host. It does what the coordinator asks as far as root of this host
// allows, and undoes it when nobody confirms: see docs/architecture.md.

#include <cstdio>
#include <span>
#include <string_view>

#include "agent/daemon.hpp"
#include "base/log.hpp"
#include "proto/spec/policy_file.hpp"
#include "proto/spec/services_file.hpp"
#include "proto/spec/settings_file.hpp"

namespace penumbra::agent {
namespace {

constexpr const char* kSettings = "/etc/penumbra/agent.toml";
constexpr const char* kPolicy = "/etc/penumbra/policy.toml";
constexpr const char* kServices = "/etc/penumbra/services.toml";

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

Result<void> serve() {
    Daemon daemon(TRY(read_setup()));
    return daemon.run();
}

}  // namespace
}  // namespace penumbra::agent

int main(int argc, char** argv) {
    const auto words = std::span<char* const>(argv, static_cast<std::size_t>(argc)).subspan(1);
    const std::string_view verb = words.empty() ? std::string_view() : std::string_view(words[0]);
    if (words.size() > 1 || (!verb.empty() && verb != "check")) {
        std::fprintf(stderr, "usage: penumbra-agent [check]\n");
        return 2;
    }
    const penumbra::Result<void> done = verb == "check" ? penumbra::agent::check() : penumbra::agent::serve();
    if (done.has_value()) return 0;
    penumbra::log::error("agent.ended", done.error());
    return 1;
}
