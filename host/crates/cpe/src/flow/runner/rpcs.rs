//! What a device is asked, one function per method: each knows the one answer that fits.

use super::{
    fault::Stop,
    talk::{Talk, unexpected},
};
use crate::soap::{Answer, Attributes, Download, ParameterInfo, ParameterValue, Rpc, SetValue, Transfer, Upload};

impl Talk<'_> {
    pub(super) async fn set_values(&mut self, list: Vec<SetValue>, parameter_key: String) -> Result<u8, Stop> {
        let answer = self.ask(Rpc::SetParameterValues { list, parameter_key }).await?;
        let Answer::SetParameterValues { status } = answer else { return Err(unexpected("SetParameterValues", answer.name())) };
        Ok(status)
    }

    pub(super) async fn get_values(&mut self, names: Vec<String>) -> Result<Vec<ParameterValue>, Stop> {
        let answer = self.ask(Rpc::GetParameterValues { names }).await?;
        let Answer::GetParameterValues(values) = answer else { return Err(unexpected("GetParameterValues", answer.name())) };
        Ok(values)
    }

    /// What is right below a path.
    pub(super) async fn names_below(&mut self, path: String) -> Result<Vec<ParameterInfo>, Stop> {
        let answer = self.ask(Rpc::GetParameterNames { path, next_level: true }).await?;
        let Answer::GetParameterNames(names) = answer else { return Err(unexpected("GetParameterNames", answer.name())) };
        Ok(names)
    }

    pub(super) async fn set_attributes(&mut self, list: Vec<Attributes>) -> Result<(), Stop> {
        let answer = self.ask(Rpc::SetParameterAttributes { list }).await?;
        let Answer::SetParameterAttributes = answer else { return Err(unexpected("SetParameterAttributes", answer.name())) };
        Ok(())
    }

    /// The number of the instance that was added, and the status.
    pub(super) async fn add_object(&mut self, object: String, parameter_key: String) -> Result<(u32, u8), Stop> {
        let answer = self.ask(Rpc::AddObject { object, parameter_key }).await?;
        let Answer::AddObject { instance, status } = answer else { return Err(unexpected("AddObject", answer.name())) };
        Ok((instance, status))
    }

    pub(super) async fn delete_object(&mut self, object: String, parameter_key: String) -> Result<u8, Stop> {
        let answer = self.ask(Rpc::DeleteObject { object, parameter_key }).await?;
        let Answer::DeleteObject { status } = answer else { return Err(unexpected("DeleteObject", answer.name())) };
        Ok(status)
    }

    pub(super) async fn reboot(&mut self, command_key: String) -> Result<(), Stop> {
        let answer = self.ask(Rpc::Reboot { command_key }).await?;
        let Answer::Reboot = answer else { return Err(unexpected("Reboot", answer.name())) };
        Ok(())
    }

    pub(super) async fn factory_reset(&mut self) -> Result<(), Stop> {
        let answer = self.ask(Rpc::FactoryReset).await?;
        let Answer::FactoryReset = answer else { return Err(unexpected("FactoryReset", answer.name())) };
        Ok(())
    }

    pub(super) async fn schedule_inform(&mut self, delay_s: u32, command_key: String) -> Result<(), Stop> {
        let answer = self.ask(Rpc::ScheduleInform { delay_s, command_key }).await?;
        let Answer::ScheduleInform = answer else { return Err(unexpected("ScheduleInform", answer.name())) };
        Ok(())
    }

    pub(super) async fn download(&mut self, download: Download) -> Result<Transfer, Stop> {
        let answer = self.ask(Rpc::Download(download.into())).await?;
        let Answer::Download(transfer) = answer else { return Err(unexpected("Download", answer.name())) };
        Ok(transfer)
    }

    pub(super) async fn upload(&mut self, upload: Upload) -> Result<Transfer, Stop> {
        let answer = self.ask(Rpc::Upload(upload.into())).await?;
        let Answer::Upload(transfer) = answer else { return Err(unexpected("Upload", answer.name())) };
        Ok(transfer)
    }
}
