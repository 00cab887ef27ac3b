#include "replay/exchange_stream.hpp"

#include <cstddef>
#include <cstdint>

#include "replay/report_stream.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// The first byte says whose stream it is and how it is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace replay = penumbra::replay;
    if (size < 1) return 0;
    const std::size_t piece = 1 + data[0] / 2;
    const penumbra::packet::ByteView bytes{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
    replay::StreamDecoder exchanges;
    replay::ReportDecoder reports;
    bool good = true;
    for (std::size_t at = 0; good && at < bytes.size(); at += piece) {
        const auto part = bytes.subspan(at, piece < bytes.size() - at ? piece : bytes.size() - at);
        const bool report = data[0] % 2 == 1;
        if (report) reports.feed(part);
        if (!report) exchanges.feed(part);
        for (bool more = true; more;) {
            if (report) {
                const auto window = reports.next();
                good = window.has_value();
                more = good && window->has_value();
            } else {
                const auto record = exchanges.next();
                good = record.has_value();
                more = good && record->has_value();
                // A record is never longer than the bytes it was read from.
                if (more && encode(**record).size() > size + 4) __builtin_trap();
            }
        }
    }
    if (bytes.size() >= replay::kAgentWordBytes) {
        static_cast<void>(replay::read_agent_word(bytes.first(replay::kAgentWordBytes)));
    }
    return 0;
}
