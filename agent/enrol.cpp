#include "agent/enrol.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/durable_file.hpp"
#include "base/limits/sockets.hpp"
#include "proto/keys.hpp"
#include "proto/zmq/enrol.hpp"

namespace penumbra::agent {

namespace {
/// The key of an attempt before this one is used again: the coordinator may have admitted it already.
Result<keys::KeyPair> own_key(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(ErrorCode::kUnavailable, fmt::format("making {}: {}", folder.string(), error.message()));
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    const std::filesystem::path path = folder / "agent.key";
    if (!std::filesystem::exists(path)) TRY(keys::KeyPair::generate().save(path));
    return keys::KeyPair::load(path);
}

std::string with_port(std::string_view address, std::uint16_t port) {
    return fmt::format("{}:{}", address.substr(0, address.rfind(':')), port);
}
}  // namespace

Result<spec::AgentSettings> enrol(const Invitation& invitation, const std::filesystem::path& settings) {
    if (std::filesystem::exists(settings)) {
        return fail(ErrorCode::kAlreadyExists,
                    fmt::format("this host is enrolled already, as {} says: remove that file to enrol it anew",
                                settings.string()));
    }
    TRY(spec::check_address(invitation.server));
    spec::AgentSettings made{.server_key = TRY(keys::PublicKey::parse(invitation.server_key))};
    const zmq::Enrolled enrolled = TRY(zmq::enrol(invitation.server, made.server_key, TRY(own_key(made.keys)),
                                                  invitation.token, limits::kEnrolDeadline));
    made.host = enrolled.host;
    made.server = with_port(invitation.server, enrolled.fleet_port);
    TRY(write_file_durably(settings, spec::write_agent_settings(made), 0644));
    return made;
}

}  // namespace penumbra::agent
