#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace penumbra::log {

/// syslog(3) priorities, the four we use.
enum class Level : unsigned char { kError = 3, kWarning = 4, kNotice = 5, kInfo = 6, kDebug = 7 };

/// One structured field of the systemd journal: the name in A-Z_ ("VM"), the value as text.
struct Field {
    std::string_view name;
    std::string value;
};

/// One event: a stable kind ("effect.reverted", searchable as PENUMBRA_EVENT=), one sentence for people, and the facts
/// as fields, never only in the sentence. To the journal when one listens, else to stderr. Thread-safe.
void event(Level level, std::string_view kind, std::string_view sentence, std::initializer_list<Field> fields = {});

/// An error that ends here (is not returned to anybody): its sentence, code and place.
void error(std::string_view kind, const Error& error, std::initializer_list<Field> fields = {});

}  // namespace penumbra::log
