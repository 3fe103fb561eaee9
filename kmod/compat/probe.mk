# SPDX-License-Identifier: GPL-2.0-only
# What this kernel has, found by looking in its headers: distribution kernels
# carry backports, so a version number proves nothing. Each probe defines one
# macro, used in compat/ only.
#
#   $(call scullpin-probe,MACRO,header below include/linux,regular expression)
scullpin-probe = $(if $(shell grep -qE '$(3)' $(srctree)/include/linux/$(2) && echo y),-D$(1))

ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_EXTRACT_PAGES,uio.h,iov_iter_extract_pages)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_ITER_PIPE,uio.h,ITER_PIPE)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_COPY_SPLICE_READ,fs.h,copy_splice_read)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_CLASS_OWNER,device/class.h,define class_create.owner)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_HRTIMER_SETUP,hrtimer.h,void hrtimer_setup\b)
