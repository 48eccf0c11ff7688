#pragma once

// How much of what was freed the process keeps. Reading ten thousand documents takes a hundred megabytes for a moment;
// a daemon that then rests for an hour gives them back.
namespace galleryd {

void keep_little_memory();  // once, before there are threads
void give_back_memory();    // milliseconds; when there was much to do and now there is not

}  // namespace galleryd
