#include "cli/progress.hpp"

#include <algorithm>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/limits/cli.hpp"

namespace penumbra::cli {

namespace {
constexpr std::size_t kUsualColumns = 80;

std::size_t columns_of_terminal(int fd) {
    winsize size{};
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualColumns;
}

std::string without_numbers(std::string text) {
    std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
    return text;
}
}  // namespace

void Progress::show(std::string_view line) {
    std::string text(line);
    std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
    if (text == shown_) return;
    const bool nothing_new = without_numbers(text) == without_numbers(shown_);
    if (!terminal_ && nothing_new && clock_.now() - shown_at_ < limits::kProgressLineInterval) return;
    shown_ = text;
    shown_at_ = clock_.now();
    if (!terminal_ && text.empty()) return;
    // A line longer than the terminal would wrap, and not be written over.
    if (terminal_) text = "\r\033[K" + text.substr(0, columns_of_terminal(fd_) - 1);
    if (!terminal_) text += "\n";
    // What cannot be shown changes nothing of what is done.
    if (::write(fd_, text.data(), text.size()) < 0) return;
}

}  // namespace penumbra::cli
