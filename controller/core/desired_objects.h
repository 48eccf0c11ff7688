#pragma once
#include "controller/core/desired.h"

// What one does with sets of declared objects, whichever kind an object is of.
namespace galleryd {

std::size_t count_of(const DesiredObjects& objects);
bool contains(const DesiredObjects& objects, const ObjectKey& key);
void erase(DesiredObjects& objects, const ObjectKey& key);
void merge(DesiredObjects& into, const DesiredObjects& from);                        // what is there already stays
void move_object(DesiredObjects& into, DesiredObjects& from, const ObjectKey& key);  // nothing when `from` lacks it

}  // namespace galleryd
