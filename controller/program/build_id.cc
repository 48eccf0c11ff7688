#include "controller/program/build_id.h"

#include <link.h>

#include <cstring>
#include <string_view>

namespace galleryd {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

std::size_t rounded(std::size_t size) { return (size + 3) / 4 * 4; }

std::string find_name(std::string_view notes) {
    while (notes.size() >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note{};
        std::memcpy(&note, notes.data(), sizeof(note));
        notes.remove_prefix(sizeof(note));
        const std::size_t owner = rounded(note.n_namesz), value = rounded(note.n_descsz);
        if (owner > notes.size() || value > notes.size() - owner) return {};
        if (note.n_type == NT_GNU_BUILD_ID && notes.starts_with(std::string_view("GNU\0", 4))) {
            std::string text;
            for (const char c : notes.substr(owner, note.n_descsz)) {
                text += hex_digits[static_cast<unsigned char>(c) >> 4U];
                text += hex_digits[static_cast<unsigned char>(c) & 15U];
            }
            return text;
        }
        notes.remove_prefix(owner + value);
    }
    return {};
}

// The program itself is the first of the loaded objects; one look is enough.
int look_at(dl_phdr_info* object, std::size_t, void* into) {
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const ElfW(Phdr)& part = object->dlpi_phdr[i];
        std::string& name = *static_cast<std::string*>(into);
        if (part.p_type != PT_NOTE || !name.empty()) continue;
        name = find_name({reinterpret_cast<const char*>(object->dlpi_addr + part.p_vaddr), part.p_memsz});
    }
    return 1;
}

}  // namespace

std::string build_id() {
    std::string name;
    dl_iterate_phdr(look_at, &name);
    return name;
}

}  // namespace galleryd
