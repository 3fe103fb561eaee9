# SPDX-License-Identifier: GPL-2.0-only
# What this kernel has, found by looking in its headers: distribution kernels
# carry backports, so a version number proves nothing. Each probe defines one
# macro, used in compat/ only.
#
#   $(call scullpin-probe,MACRO,header below include/linux,regular expression)
scullpin-probe = $(if $(shell grep -qsE '$(3)' $(srctree)/include/linux/$(2) && echo y),-D$(1))

ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_EXTRACT_PAGES,uio.h,iov_iter_extract_pages)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_ITER_PIPE,uio.h,ITER_PIPE)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_FILEMAP_SPLICE_READ,fs.h,filemap_splice_read)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_CLASS_OWNER,device/class.h,define class_create.owner)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_HRTIMER_SETUP,hrtimer.h,void hrtimer_setup\b)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_AIO_RW,fs.h,IOCB_AIO_RW)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_COMMAND_HEADER,io_uring/cmd.h,struct io_uring_cmd)
# It has moved from one to the other.
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_COMMAND_SQE,io_uring.h,const struct io_uring_sqe .sqe;)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_COMMAND_SQE,io_uring/cmd.h,const struct io_uring_sqe .sqe;)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_FOLIO_END_READ,pagemap.h,void folio_end_read\b)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_DONTCACHE,fs.h,define FOP_DONTCACHE)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_WRITEBACK_ITER,writeback.h,writeback_iter)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_ACCOUNT_OWNER_FOLIO,writeback.h,void wbc_account_cgroup_owner.*struct folio)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_WRITE_BEGIN_GET_FOLIO,pagemap.h,write_begin_get_folio)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_WRITE_BEGIN_KIOCB,fs.h,write_begin..const struct kiocb)
ccflags-y += $(call scullpin-probe,SCULLPIN_HAVE_WRITE_BEGIN_FOLIO,fs.h,struct folio ..foliop)
