#include "proto/spec/services_file.hpp"

#include <utility>

#include "base/durable_file.hpp"
#include "base/limits/local.hpp"
#include "base/limits/wire.hpp"
#include "proto/spec/reading.hpp"
#include "proto/spec/settings_file.hpp"

namespace penumbra::spec {

Result<std::vector<Service>> read_services(std::string_view file, std::string_view toml) {
    const Document document = TRY(parse(file, toml));
    Reading reading(document);
    std::vector<Service> services;
    reading.tables(
        "service",
        [&](Reading& table) {
            Service service;
            table.text("vm", service.vm, Need::kRequired);
            table.texts("servers", service.servers, limits::kNicsPerVmMax);
            table.texts("gateways", service.gateways, limits::kNicsPerVmMax);
            for (const std::string& server : service.servers)
                if (const Result<void> fits = check_address(server); !fits.has_value())
                    table.refuse("servers", fits.error().message);
            for (const std::string& gateway : service.gateways)
                if (gateway.find('/') == std::string::npos)
                    table.refuse("gateways", "ADDRESS/PREFIX is expected, as \"10.20.0.1/24\"");
            services.push_back(std::move(service));
        },
        limits::kVmsPerHostMax);
    TRY(reading.finish());
    return services;
}

Result<std::vector<Service>> load_services(const std::filesystem::path& path) {
    const Result<std::string> text = read_file(path, limits::kTomlBytesMax);
    if (!text.has_value() && text.error().code == ErrorCode::kNotFound) return std::vector<Service>{};
    if (!text.has_value()) return tl::unexpected(text.error());
    return read_services(path.native(), *text);
}

}  // namespace penumbra::spec
