#include "proto/spec/settings_file.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/durable_file.hpp"
#include "base/limits/local.hpp"
#include "proto/spec/reading.hpp"

namespace penumbra::spec {

namespace {
void read_address(Reading& reading, std::string_view key, std::string& into, Need need = Need::kOptional) {
    reading.text(key, into, need);
    if (!reading.has(key)) return;
    if (const Result<void> checked = check_address(into); !checked.has_value()) {
        reading.refuse(key, checked.error().message);
    }
}

void read_path(Reading& reading, std::string_view key, std::filesystem::path& into) {
    std::string written = into.native();
    reading.text(key, written);
    into = written;
    if (reading.has(key) && !into.is_absolute())
        reading.refuse(key, "a path from the root is expected, as \"/var/lib/penumbra\"");
}
}  // namespace

Result<void> check_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    const std::string_view address = text.substr(0, colon == std::string_view::npos ? 0 : colon);
    const std::string_view port = text.substr(colon == std::string_view::npos ? text.size() : colon + 1);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    const bool in_brackets = address.starts_with('[') && address.ends_with(']');
    const bool is_port = error == std::errc{} && end == port.data() + port.size() && number >= 1 && number <= 65'535;
    if (!is_port || address.empty() || (!in_brackets && address.find(':') != std::string_view::npos) ||
        address.find_first_of(" /\t\n") != std::string_view::npos) {
        return fail(ErrorCode::kInvalidArgument, "ADDRESS:PORT is expected, as \"ctl.example:7701\" or \"[::1]:7701\"");
    }
    return {};
}

Result<CoordinatorSettings> read_coordinator_settings(std::string_view file, std::string_view toml) {
    const Document document = TRY(parse(file, toml));
    Reading reading(document);
    CoordinatorSettings settings;
    read_address(reading, "listen", settings.listen);
    read_address(reading, "enrol", settings.enrol);
    read_path(reading, "socket", settings.socket);
    reading.text("socket_group", settings.socket_group);
    read_path(reading, "state", settings.state);
    reading.text("time_zone", settings.time_zone);
    read_path(reading, "holidays", settings.holidays);
    TRY(reading.finish());
    return settings;
}

Result<AgentSettings> read_agent_settings(std::string_view file, std::string_view toml) {
    const Document document = TRY(parse(file, toml));
    Reading reading(document);
    AgentSettings settings;
    reading.id("host", settings.host, Need::kRequired);
    read_address(reading, "server", settings.server, Need::kRequired);
    std::string key;
    reading.text("server_key", key, Need::kRequired);
    if (reading.has("server_key")) {
        Result<keys::PublicKey> parsed = keys::PublicKey::parse(key);
        if (parsed.has_value()) {
            settings.server_key = std::move(*parsed);
        } else {
            reading.refuse("server_key", parsed.error().message);
        }
    }
    read_path(reading, "keys", settings.keys);
    read_path(reading, "state", settings.state);
    TRY(reading.finish());
    return settings;
}

// Nothing in it needs TOML's escapes: an id, an address that was checked, Z85, which has neither ' nor \, and paths,
// which literal strings take but for a single quote or a control character.
std::string write_agent_settings(const AgentSettings& settings) {
    return fmt::format(
        "# Written by penumbra-agent enrol.\n"
        "host = '{}'\nserver = '{}'\nserver_key = '{}'\nkeys = '{}'\nstate = '{}'\n",
        settings.host.text(), settings.server, settings.server_key.z85(), settings.keys.native(),
        settings.state.native());
}

Result<CoordinatorSettings> load_coordinator_settings(const std::filesystem::path& path) {
    const Result<std::string> text = read_file(path, limits::kTomlBytesMax);
    if (!text.has_value() && text.error().code == ErrorCode::kNotFound) return CoordinatorSettings{};
    if (!text.has_value()) return tl::unexpected(text.error());
    return read_coordinator_settings(path.native(), *text);
}

Result<AgentSettings> load_agent_settings(const std::filesystem::path& path) {
    const Result<std::string> text = read_file(path, limits::kTomlBytesMax);
    if (!text.has_value() && text.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kNotFound,
                    fmt::format("{} is not there: enrol this host first (`penumbra host token` on the coordinator says "
                                "how)",
                                path.native()));
    }
    if (!text.has_value()) return tl::unexpected(text.error());
    return read_agent_settings(path.native(), *text);
}

}  // namespace penumbra::spec
